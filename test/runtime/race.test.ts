import type { Call } from '../../src/compute/arithmetic.js';
import { lanesBy } from '../../src/compute/lanes/lanes.js';
import { PRODUCTS } from '../../src/compute/lanes/products.js';
import { Engine } from '../../src/engine/engine.js';
import type { Exports } from '../../src/engine/exports.js';
import { UnsupportedModelError } from '../../src/errors.js';
import * as integers from '../../src/runtime/integers.js';
import { agrees, fastest } from '../../src/runtime/race.js';
import { type ChosenWay, firstWay, rivalsOf } from '../../src/runtime/way.js';

// Which way to compute int8 is taken, told by time and by what it gives.

/** An engine some of whose exports are others: what is seen of machines that are not at hand. */
async function engineWith(change: (engine: Engine) => Partial<Exports>): Promise<Engine> {
  const engine = await Engine.create('baseline');
  return Object.assign(Object.create(engine), { exports: { ...engine.exports, ...change(engine) }, module: {} }) as Engine;
}
const x86 = () => engineWith(() => ({ zero_over_zero: () => -1 }));

it('begins with pairs, on arm64 with products, or with what is asked for', async () => {
  const engine = await x86();
  expect(firstWay(engine)).toMatchObject({ name: 'pairs', turn: 'first' });
  expect(firstWay(engine, 'auto').name).toBe('pairs');
  expect(firstWay(engine, 'products')).toMatchObject({ name: 'products', turn: 'asked' });
  expect(() => firstWay(engine, 'planes')).toThrow(UnsupportedModelError);
  expect(() => firstWay(engine, 'planes')).toThrow(
    "kernels 'planes' needs an exact relaxed dot product, which this engine lacks with baseline SIMD; it has pairs and products.",
  );
  const arm = await engineWith(() => ({ zero_over_zero: () => 1 }));
  expect(firstWay(arm)).toMatchObject({ name: 'products', turn: 'first' });
  expect(firstWay(arm, 'pairs')).toMatchObject({ name: 'pairs', turn: 'asked' });
});

/** A dot product of bytes as SDOT has it. */
const withDot = () =>
  engineWith((engine) => ({
    dot_bytes: (a, b, target) => {
      const [x, y] = [new Int8Array(engine.memory.buffer, a, 16), new Int8Array(engine.memory.buffer, b, 16)];
      const sums = engine.ints(target, 4).fill(0);
      for (let i = 0; i < 16; i++) sums[i >> 2] = (sums[i >> 2] as number) + (x[i] as number) * (y[i] as number);
    },
  }));

it('has rivals that an engine may have right and fast once it has optimized them', async () => {
  const engine = await withDot();
  expect(rivalsOf(engine, firstWay(engine), integers).map(({ name, turn }) => `${name} ${turn}`)).toEqual(['planes later']);
  expect(rivalsOf(engine, firstWay(engine, 'planes'), integers)).toEqual([]);
  const plain = await x86();
  expect(rivalsOf(plain, firstWay(plain), integers)).toEqual([]);
});

/** An engine whose programs take as long as is said: by round, the first way and the second. */
async function timed(cost: (round: number, way: number) => number, run: (engine: Engine) => void): Promise<number> {
  const engine = await Engine.create('baseline');
  let [clock, calls] = [0, 0];
  const execute: Exports['execute'] = (...args) => {
    engine.exports.execute(...args);
    clock += cost(calls >> 1, calls++ & 1);
  };
  const now = performance.now;
  performance.now = () => clock;
  try {
    run(Object.assign(Object.create(engine), { exports: { ...engine.exports, execute } }) as Engine);
  } finally {
    performance.now = now;
  }
  return calls;
}

it.each<[string, (round: number, way: number) => number, 'pairs' | 'products']>([
  ['the second where it is faster', (_, way) => (way ? 94 : 100), 'products'],
  ['the first where it is faster', (_, way) => (way ? 100 : 50), 'pairs'],
  ['the first where both are as fast', () => 100, 'pairs'],
  ['the first where the second is little faster', (_, way) => (way ? 95 : 100), 'pairs'],
  ['who is fast at the end, not in the beginning', (round, way) => (way ? (round < 25 ? 1 : 100) : 100), 'pairs'],
  ['who is fast in the shortest of the last fifteen rounds', (round, way) => (way ? (round === 25 ? 1 : 200) : 100), 'products'],
  ['who is fast in the last of them', (round, way) => (way ? (round === 39 ? 1 : 200) : 100), 'products'],
])('takes %s', async (_, cost, winner) => {
  for (const bits of [8, 16] as const) {
    const calls = await timed(cost, (engine) => {
      expect(fastest(engine, [firstWay(engine, 'pairs', integers), firstWay(engine, 'products', integers)], bits).name).toBe(winner);
    });
    expect(calls).toBe(80);
  }
});

it('are raced on memory that is given back', async () => {
  const engine = await Engine.create('baseline');
  const mark = engine.mark();
  const ways: [ChosenWay, ChosenWay] = [firstWay(engine, 'pairs', integers), firstWay(engine, 'products', integers)];
  for (const bits of [8, 16] as const) expect(ways).toContain(fastest(engine, ways, bits));
  expect(engine.mark()).toBe(mark);
});

it('are dropped where they are wrong once they are optimized, however fast', async () => {
  const engine = await Engine.create('baseline');
  const [pairs, products] = [firstWay(engine, 'pairs', integers), firstWay(engine, 'products', integers)];
  // One weight of 9216 is off by one; and nothing is computed, which is fast.
  const off = lanesBy({
    ...PRODUCTS,
    pack: (own, node, weights, ...rest) =>
      PRODUCTS.pack(own, node, { ...weights, filter: weights.filter.map((w, i) => (i === 5000 ? w + 1 : w)) }, ...rest),
  });
  const idle: typeof off = {
    ...off,
    packConv: (...args) => ({ call: (...operands) => idleCall(off.packConv(...args).call(...operands)) }),
  };
  const idleCall = (call: Call): Call => ({ ...call, instruction: (scratch) => ({ ...call.instruction(scratch), units: 0 }) });
  for (const bits of [8, 16] as const) {
    expect(agrees(engine, pairs, products, bits)).toBe(true);
    for (const lanes of [off, idle]) {
      const liar = { ...products, arithmetics: { ...products.arithmetics, lanes } };
      expect(agrees(engine, pairs, liar, bits)).toBe(false);
      expect(fastest(engine, [pairs, liar], bits)).toBe(pairs);
    }
  }
});
