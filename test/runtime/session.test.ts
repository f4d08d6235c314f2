import { INSTRUCTION_BYTES } from '../../src/engine/instruction.js';
import type { Pixels } from '../../src/inputs.js';
import { checkInput, Session } from '../../src/runtime/session.js';
import type { TensorView } from '../../src/runtime/tensors.js';
import { follow, interpret, type Values } from '../graph/interpret.js';
import { answer, expected, expectNear, floats, mixed, NODES, network, tensor } from './small.js';

let session: Session;
beforeAll(async () => {
  session = await Session.create(network(), { simd: 'baseline' });
});
afterAll(() => session.dispose());

it.each([
  [32, 32],
  [33, 47],
  [64, 35],
])('computes the network at %d x %d', (height, width) => {
  const x = tensor(height, width);
  expectNear(answer(session, x), expected(x).data);
});

it('gives the embedding too, and knows a network without a classifier', async () => {
  const x = tensor(32, 40);
  const plan = session.infer(() => session.put(x));
  const all = follow(NODES, floats, { input: { shape: [32, 40, 3], data: [...x.data] } });
  expectNear([...session.output(plan.results.embedding)], (all.get('pool') as Values).data);
  const { graph } = network();
  const backbone = await Session.create(network({ graph: { ...graph, nodes: NODES.slice(0, 4), outputs: { embedding: 'pool' } } }));
  expect(backbone.plan(32, 32).results).not.toHaveProperty('logits');
  backbone.dispose();
});

it('takes pixels, at the resolution of the network', () => {
  const pixels: Pixels = { data: Uint8Array.from({ length: 37 * 37 * 3 }, (_, i) => (i * 7) % 256), width: 37, height: 37, channels: 3 };
  // 32 of 37 pixels: 0.875 of the shorter side, and no resampling.
  const image: number[] = [];
  for (let y = 2; y < 34; y++) for (let i = 2 * 3; i < 34 * 3; i++) image.push(pixels.data[y * 37 * 3 + i] as number);
  const wanted = interpret(network(), { shape: [32, 32, 3], data: image }).get('classifier') as Values;
  expectNear(answer(session, pixels), wanted.data, 1e-4);
});

it('decodes what is decoded already to itself', async () => {
  const x = tensor(32, 32);
  expect(await session.decode(x)).toBe(x);
  const pixels = { data: new Uint8ClampedArray(16), width: 2, height: 2 };
  expect(await session.decode(pixels as ImageData)).toEqual({ ...pixels, channels: 4 });
  await expect(session.decode({ ...pixels, width: 3 } as ImageData)).rejects.toThrow(/3x2 pixels of 4 channels need 24 bytes/);
});

it('keeps eight plans, and makes them anew when there are more, in the same memory', async () => {
  const session = await Session.create(network(), { simd: 'baseline' });
  const plans = Array.from({ length: 8 }, (_, i) => session.plan(32, 32 + i));
  plans.forEach((plan, i) => {
    expect(session.plan(32, 32 + i)).toBe(plan);
  });
  const end = session.engine.mark();
  expect(session.plan(32, 32)).toBe(plans[0]);
  const ninth = session.plan(40, 32);
  expect(session.engine.mark()).toBeLessThan(end);
  expect(session.plan(40, 32)).toBe(ninth);
  expect(session.plan(32, 32)).not.toBe(plans[0]);
  const x = tensor(32, 33, 3);
  expectNear(answer(session, x), expected(x).data);
  session.dispose();
});

it.each([
  [31, 32],
  [32, 31],
  [513, 32],
  [32, 513],
  [32.5, 32],
  [Number.NaN, 32],
])('has no plan for %d x %d', (height, width) => {
  expect(() => session.plan(height, width)).toThrow(
    `an input's height and width must be whole numbers from 32 to 512; got ${height}x${width}.`,
  );
});

it('has plans for the smallest and the largest side', () => {
  for (const [height, width] of [
    [32, 512],
    [512, 32],
  ] as const)
    expect(session.plan(height, width)).toMatchObject({ height, width });
});

it('checks inputs before they go anywhere', () => {
  const values = (length: number) => new Float32Array(length);
  expect(() => checkInput({ data: values(12), shape: [2, 1, 2, 3] })).not.toThrow();
  const shape = "an input's shape must be [n, height, width, 3] with n above 0; got [";
  for (const bad of [
    [1, 2, 2, 4],
    [0, 2, 2, 3],
    [-1, 2, 2, 3],
    [0.5, 2, 2, 3],
    [2, 2, 3],
    [1, 1, 2, 2, 3],
    [1, 2, 2, 3, 1],
  ]) {
    expect(() => checkInput({ data: values(12), shape: bad as never })).toThrow(`${shape}${bad}].`);
  }
  for (const length of [11, 13]) {
    expect(() => checkInput({ data: values(length), shape: [1, 2, 2, 3] })).toThrow(`shape [1,2,2,3] needs 12 values; got ${length}.`);
  }
  expect(() => session.put({ data: values(2 * 32 * 32 * 3), shape: [2, 32, 32, 3] })).toThrow('expected a batch of 1; got 2.');
  expect(() => session.put({ data: values(5), shape: [1, 32, 32, 3] })).toThrow(/needs 3072 values; got 5/);
});

it('shows every tensor as soon as it is there', async () => {
  const session = await Session.create(mixed(), { simd: 'baseline' });
  const plan = session.put(tensor(32, 32));
  const seen: string[] = [];
  session.observe(plan, ({ name, lanes }, memory) => {
    expect(memory).toBe(session.engine.memory);
    seen.push(lanes ? `${name} ${lanes.scale}` : name);
  });
  // Conversions show nothing: their tensors are seen where they are made.
  expect(seen).toEqual(['input', 'stem', 'depthwise', 'project', 'pool', 'swish', 'classifier 0.01']);
  session.dispose();
});

it('times each step, on the input as it is', () => {
  const x = tensor(32, 32, 5);
  const timings = session.profile(() => session.put(x), 3);
  const plan = session.plan(32, 32);
  expect(timings.map(({ name, kind, madds }) => [name, kind, madds])).toEqual([
    ['stem', 'convolution', 16 * 16 * 27 * 8],
    ['depthwise', 'depthwise', 16 * 16 * 9 * 8],
    ['project', 'pointwise', 16 * 16 * 64],
    ['pool', 'globalAveragePool', 0],
    ['swish', 'activation', 0],
    ['classifier', 'fullyConnected', 40],
  ]);
  for (const { madds, milliseconds, gmacsPerSecond } of timings) {
    expect(milliseconds).toBeGreaterThanOrEqual(0);
    expect(gmacsPerSecond).toBeCloseTo(milliseconds === 0 ? 0 : madds / milliseconds / 1e6, 9);
  }
  // What it timed was an inference, and the last round's answer is there.
  expectNear([...session.output(plan.results.logits as TensorView)], expected(x).data);
});

it('lays steps out one after the other, within a memory not larger than it must be', () => {
  const { steps, instructions, arenaBytes, liveBytes, pointer } = session.plan(32, 32);
  let at = 0;
  for (const { first, count } of steps) {
    expect(first).toBe(at);
    at += count;
  }
  expect(at).toBe(instructions);
  expect(arenaBytes).toBeGreaterThanOrEqual(liveBytes);
  expect(arenaBytes).toBeLessThan(1.2 * liveBytes + 64 * 10);
  expect(session.engine.mark()).toBeGreaterThanOrEqual(pointer + instructions * INSTRUCTION_BYTES);
});

describe('kernels', () => {
  it('are the first that suits, or those that are asked for', async () => {
    for (const [kernels, expected] of [
      [undefined, 'pairs'],
      ['auto', 'pairs'],
      ['products', 'products'],
    ] as const) {
      const session = await Session.create(mixed(), { simd: 'baseline', ...(kernels ? { kernels } : {}) });
      expect(session.kernels).toBe(expected);
      session.dispose();
    }
    await expect(Session.create(mixed(), { simd: 'baseline', kernels: 'planes' })).rejects.toThrow(/needs an exact relaxed dot product/);
  });

  it('give the same bits', async () => {
    const [pairs, products] = [
      await Session.create(mixed(), { kernels: 'pairs' }),
      await Session.create(mixed(), { kernels: 'products', threads: 2 }),
    ];
    for (const size of [32, 45]) expect(answer(products, tensor(size, size))).toEqual(answer(pairs, tensor(size, size)));
    pairs.dispose();
    products.dispose();
  });
});

it('needs weights for every convolution, and lanes for every tensor of a quantized one', async () => {
  const without = new Map(floats);
  without.delete('project');
  await expect(Session.create(network({ weights: without }))).rejects.toThrow('project: the model has no weights for this layer.');
  const { weights } = mixed();
  const lanes = new Map([['classifier', { scale: 1, low: 0, high: 1 }]]);
  await expect(Session.create(network({ weights, lanes }))).rejects.toThrow(
    'tensor "swish" is read or written by a quantized layer but has no scale.',
  );
});
