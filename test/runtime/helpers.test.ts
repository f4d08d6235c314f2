import { Engine } from '../../src/engine/engine.js';
import { INSTRUCTION_BYTES } from '../../src/engine/instruction.js';
import { Session } from '../../src/runtime/session.js';
import { answer, expected, expectNear, network, tensor } from './small.js';

// Helping threads may stay away in the midst of an inference: the calling thread does it anew, on a memory of its own.

const create = Engine.create;
afterEach(() => {
  Engine.create = create;
});

/** A session whose threads stay away at a run of the engine; what follows runs on another engine, which does not. */
async function deserted(at: number): Promise<{ session: Session; runs: [program: number, count: number][] }> {
  const engine = await create.call(Engine, 'baseline');
  const runs: [number, number][] = [];
  const run = (program: number, count: number) => {
    runs.push([program, count]);
    if (runs.length > at) return false;
    engine.runAlone(program, count);
    return true;
  };
  Engine.create = async () => Object.create(engine, { run: { value: run } }) as Engine;
  return { session: await Session.create(network()), runs };
}

it('finishes an inference whose helping threads stay away, and does without them from then on', async () => {
  const { session, runs } = await deserted(1);
  const first = session.engine;
  const x = tensor(32, 32);
  expectNear(answer(session, x), expected(x).data);
  expect(session.engine).toBe(first);
  for (let i = 0; i < 3; i++) expectNear(answer(session, x), expected(x).data);
  expect(runs).toHaveLength(2);
  expect(session.engine).not.toBe(first);
  expect(session.engine.memory).not.toBe(first.memory);
});

it('times layers anew where they stay away', async () => {
  for (const at of [0, 3]) {
    const { session } = await deserted(at);
    const timings = session.profile(() => session.put(tensor(32, 32)), 3);
    expect(timings.map(({ name }) => name)).toEqual(['stem', 'depthwise', 'project', 'pool', 'swish', 'classifier']);
  }
});

it('gives its engine back', async () => {
  let isDisposed = false;
  const engine = await create.call(Engine, 'baseline');
  Engine.create = async () => Object.create(engine, { dispose: { value: () => (isDisposed = true) } }) as Engine;
  const session = await Session.create(network());
  expect(isDisposed).toBe(false);
  session.dispose();
  expect(isDisposed).toBe(true);
});

it('times every round of every layer by the clock', async () => {
  const session = await Session.create(network(), { simd: 'baseline' });
  // The n-th reading is n squared: a layer's rounds take longer and longer.
  let readings = 0;
  const timings = session.profile(
    () => session.put(tensor(32, 32)),
    3,
    () => (readings++) ** 2,
  );
  expect(readings).toBe(3 * 6 * 2);
  // Of the second round, which is the median: readings 12 + 2 i and the one after.
  timings.forEach(({ milliseconds, madds, gmacsPerSecond }, i) => {
    expect(milliseconds).toBe(2 * (12 + 2 * i) + 1);
    expect(gmacsPerSecond).toBe(madds / milliseconds / 1e6);
  });
  const still = session.profile(
    () => session.put(tensor(32, 32)),
    1,
    () => 0,
  );
  for (const { gmacsPerSecond } of still) expect(gmacsPerSecond).toBe(0);
});

it('runs each layer once in a round, where it lies in the program', async () => {
  const { session, runs } = await deserted(1000);
  const plan = session.plan(32, 32);
  session.profile(() => session.put(tensor(32, 32)), 2);
  expect(runs).toEqual([...plan.steps, ...plan.steps].map(({ first, count }) => [plan.pointer + first * INSTRUCTION_BYTES, count]));
});
