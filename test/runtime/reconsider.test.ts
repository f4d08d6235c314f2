import { Engine } from '../../src/engine/engine.js';
import { FIELDS, INSTRUCTION_BYTES } from '../../src/engine/instruction.js';
import { Kernel } from '../../src/engine/kernel.js';
import type { Network } from '../../src/graph/network.js';
import { type RuntimeOptions, Session } from '../../src/runtime/session.js';
import { MACHINES } from '../kernels/engines.js';
import { answer, mixed, network, tensor } from './small.js';

// An engine's optimizing tier comes late: a session looks at the ways to compute int8 again, between two inferences.

const create = Engine.create;
const now = performance.now;
let clock = 0;
/** The kernels that programs called, but for those of float32. */
let calls: string[] = [];
let isWrong = false;
beforeEach(() => {
  [clock, calls, isWrong] = [1000, [], false];
  performance.now = () => clock;
});
afterEach(() => {
  Engine.create = create;
  performance.now = now;
});

/** A session on arm64 with a dot product of bytes: planes take half the time of products, and may turn out to be wrong. */
async function open(given: Network, options: RuntimeOptions = {}): Promise<Session> {
  const engine = await (MACHINES.find(({ name }) => name === 'planes, signed bytes') as (typeof MACHINES)[number]).engine();
  const execute: typeof engine.exports.execute = (program, count, thread, threads) => {
    for (let at = program; at < program + count * INSTRUCTION_BYTES; at += INSTRUCTION_BYTES) {
      engine.exports.execute(at, 1, thread, threads);
      const words = engine.ints(at, FIELDS.length);
      const name = Kernel[words[0] as number] as string;
      if (!/^(pairs|products|planes?)_/.test(name)) continue;
      const isPlane = name.startsWith('plane');
      const lanes = engine.shorts(words[FIELDS.indexOf('output')] as number, 1);
      if (isPlane && isWrong) lanes[0] = (lanes[0] as number) + 100;
      clock += isPlane ? 0.5 : 1;
      calls.push(name);
    }
  };
  Engine.create = async () => Object.create(engine, { exports: { value: { ...engine.exports, execute } } }) as Engine;
  return Session.create(given, options);
}

/** What so many inferences call. */
function called(session: Session, inferences: number): string[] {
  calls = [];
  for (let i = 0; i < inferences; i++) answer(session, tensor(32, 32));
  return calls;
}
const times = (count: number, ...names: string[]) => Array.from({ length: count }, () => names).flat();
const RACE = times(40, 'products_pointwise', 'planes_pointwise');

it('shows rivals to the engine at the fifth inference, and takes the fastest when it may have optimized them', async () => {
  const session = await open(mixed());
  const before = answer(session, tensor(32, 32));
  expect(called(session, 3)).toEqual(times(3, 'products_vector'));
  expect(called(session, 1)).toEqual([...RACE, 'products_vector']);
  clock += 148; // and 1 for the last inference: 149
  expect(called(session, 1)).toEqual(['products_vector']);
  expect(session.kernels).toBe('products');
  expect(called(session, 1)).toEqual([...RACE, 'planes_vector']);
  expect(session.kernels).toBe('planes');
  expect(answer(session, tensor(32, 32))).toEqual(before);
  clock += 1000;
  expect(called(session, 9)).toEqual(times(9, 'planes_vector'));
});

it('stays with the first way where the rival is wrong by then', async () => {
  const session = await open(mixed());
  const plan = session.plan(32, 32);
  const right = answer(session, tensor(32, 32));
  isWrong = true;
  called(session, 5);
  clock += 150;
  expect(called(session, 1)).toEqual([...RACE, 'products_vector']);
  expect(session.kernels).toBe('products');
  expect(answer(session, tensor(32, 32))).toEqual(right);
  // Nothing was packed anew.
  expect(session.plan(32, 32)).toBe(plan);
});

it('races lanes of 8 bits where most have 8 bits', async () => {
  const [eight, nine] = [
    { scale: 1, low: -128, high: 127 },
    { scale: 1, low: 0, high: 256 },
  ];
  for (const [names, others, kernel] of [
    [['stem', 'depthwise', 'project'], [], 'plane_pointwise'],
    [['stem', 'depthwise'], [], 'planes_pointwise'],
    [[], ['stem', 'depthwise', 'project'], 'planes_pointwise'],
  ] as const) {
    const { lanes, ...rest } = mixed();
    const more = new Map([...lanes, ...names.map((name) => [name, eight] as const), ...others.map((name) => [name, nine] as const)]);
    const session = await open({ ...rest, lanes: more });
    expect(called(session, 5)).toContain(kernel);
    clock += 150;
    expect(called(session, 1)).toContain(kernel);
    expect(session.kernels).toBe('planes');
  }
});

describe('planes that were asked for', () => {
  it('stay while they are right', async () => {
    const session = await open(mixed(), { kernels: 'planes' });
    const plan = session.plan(32, 32);
    expect(called(session, 4)).toEqual(times(4, 'planes_vector'));
    expect(called(session, 1)).toEqual([...RACE, 'planes_vector']);
    clock += 150;
    expect(called(session, 1)).toEqual([...RACE, 'planes_vector']);
    expect(called(session, 3)).toEqual(times(3, 'planes_vector'));
    expect(session.plan(32, 32)).toBe(plan);
  });

  it('give way to the trusted way where they are wrong once they are optimized', async () => {
    const session = await open(mixed(), { kernels: 'planes' });
    const right = answer(session, tensor(32, 32));
    called(session, 4);
    [isWrong, clock] = [true, clock + 150];
    expect(called(session, 1)).toEqual([...RACE, 'products_vector']);
    expect(session.kernels).toBe('products');
    expect(answer(session, tensor(32, 32))).toEqual(right);
  });
});

it('asks nobody where the caller has chosen what every engine has right, or nothing is quantized', async () => {
  const products = await open(mixed(), { kernels: 'products' });
  expect(called(products, 9)).toEqual(times(9, 'products_vector'));
  const float = await open(network());
  expect(called(float, 9)).toEqual([]);
});
