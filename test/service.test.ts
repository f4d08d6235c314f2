import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuse } from '../src/graph/fusion.js';
import type { Tensor } from '../src/inputs.js';
import { loadModel, quantize } from '../src/load.js';
import { localModel } from '../src/model/local-model.js';
import type { Model } from '../src/model/model.js';
import { random, randomNetwork, uniform } from './random-network.js';

// A model that serves for long, and inputs that nobody should send.

const input = (seed: number, side = 32): Tensor => ({ data: uniform(random(seed), side * side * 3, -2, 2), shape: [1, side, side, 3] });
const pixels = { data: new Uint8Array(90 * 70 * 3).map((_, i) => (i * 37) % 251), width: 90, height: 70, channels: 3 as const };

let float: Model;
let int8: Model;
beforeAll(async () => {
  float = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 5, width: 0.25, resolution: 32 })));
  int8 = await quantize(float, [input(1), input(2)], { rounding: 'nearest' });
});

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that neither JavaScript nor WebAssembly gives back. */
function held(): number {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe.each(['float32', 'int8'] as const)('%s', (precision) => {
  it.each([1, 2])('infers 10,000 times on %i threads in the same memory, with the same answer', async (threads) => {
    const model = await loadModel((precision === 'int8' ? int8 : float).save(), { threads });
    const x = input(3);
    const first = await model.predict(x);
    for (let i = 0; i < 500; i++) await model.predict(x);
    const [wasm, before] = [model.memory.totalBytes, held()];
    let last = first;
    for (let i = 0; i < 10_000; i++) last = await model.predict(x);
    expect(model.memory.totalBytes).toBe(wasm);
    // A hundred bytes an inference would be too many.
    expect(held() - before).toBeLessThan(1 << 20);
    expect(last).toEqual(first);
    model.dispose();
  });

  it.each([1, 2])('is loaded and disposed 300 times on %i threads, and nothing stays', async (threads) => {
    const bytes = (precision === 'int8' ? int8 : float).save();
    const x = input(3);
    const expected = await (precision === 'int8' ? int8 : float).predict(x);
    const cycle = async () => {
      const model = await loadModel(bytes, { threads });
      expect(model.runtimeFeatures.threads).toBe(threads);
      const logits = await model.predict(x);
      model.dispose();
      return logits;
    };
    for (let i = 0; i < 20; i++) await cycle();
    const before = held();
    for (let i = 0; i < 300; i++) expect(await cycle()).toEqual(expected);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // A model of this size takes about two megabytes: three hundred would be six hundred.
    expect(held() - before).toBeLessThan(16 << 20);
    const workers = process.getActiveResourcesInfo().filter((name) => /worker|messageport/i.test(name));
    expect(workers).toEqual([]);
  });

  it('answers twenty at once as one after the other', async () => {
    const model = precision === 'int8' ? int8 : float;
    const pictures = Array.from({ length: 20 }, (_, i) => ({ ...pixels, data: pixels.data.map((x) => (x + 11 * i) % 256) }));
    const sequential = [];
    for (const picture of pictures) sequential.push(await model.classify(picture));
    expect(await Promise.all(pictures.map((picture) => model.classify(picture)))).toEqual(sequential);
  });

  it('refuses what is no input, and gives the right answer afterwards', async () => {
    const model = precision === 'int8' ? int8 : float;
    const expected = await model.predict(input(3));
    const bad: [unknown, string][] = [
      [{ data: new Float32Array(0), shape: [0, 32, 32, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(0), shape: [1, 0, 0, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(31 * 32 * 3), shape: [1, 31, 32, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(12), shape: [1, 513, 32, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(12), shape: [1, 2 ** 31, 2 ** 31, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(12), shape: [2 ** 53, 32, 32, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(12), shape: [1, -32, -32, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(12), shape: [1, 32.5, 32, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(12), shape: [1, Number.NaN, 32, 3] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(32 * 32 * 4), shape: [1, 32, 32, 4] }, 'ERR_SHAPE'],
      [{ data: new Float32Array(32 * 32 * 3), shape: [1, 32, 32] }, 'ERR_SHAPE'],
    ];
    for (const [tensor, code] of bad) {
      await expect(model.predict(tensor as Tensor)).rejects.toMatchObject({ code });
      await expect(model.embed(tensor as Tensor)).rejects.toMatchObject({ code });
    }
    for (const picture of [
      { data: new Uint8Array(0), width: 0, height: 0, channels: 3 },
      { data: new Uint8Array(12), width: 2 ** 31, height: 2 ** 31, channels: 3 },
      { data: new Uint8Array(12), width: -2, height: -2, channels: 3 },
      { data: new Uint8Array(12), width: 2, height: 3, channels: 2 },
    ]) {
      await expect(model.classify(picture as typeof pixels)).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    }
    expect(await model.predict(input(3))).toEqual(expected);
  });

  it('reads views that lie anywhere, and shared memory', async () => {
    const model = precision === 'int8' ? int8 : float;
    const x = input(3);
    const expected = await model.predict(x);
    const within = new Float32Array(x.data.length + 7);
    within.set(x.data, 5);
    expect(await model.predict({ ...x, data: within.subarray(5, 5 + x.data.length) })).toEqual(expected);
    const shared = new Float32Array(new SharedArrayBuffer(x.data.byteLength));
    shared.set(x.data);
    expect(await model.predict({ ...x, data: shared })).toEqual(expected);
    const bytes = new Uint8Array(new SharedArrayBuffer(pixels.data.length));
    bytes.set(pixels.data);
    expect(await model.classify({ ...pixels, data: bytes })).toEqual(await model.classify(pixels));
    // A buffer that was given away has no bytes left.
    const gone = x.data.slice();
    structuredClone(gone, { transfer: [gone.buffer] });
    await expect(model.predict({ ...x, data: gone })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });

  it('survives NaN and infinities', async () => {
    const model = precision === 'int8' ? int8 : float;
    const expected = await model.predict(input(3));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 1e-45]) {
      const x = input(3);
      for (let i = 0; i < x.data.length; i += 7) x.data[i] = value;
      const logits = await model.predict(x);
      expect(logits).toHaveLength(5);
      // Lanes saturate: int8 has an answer to everything.
      if (precision === 'int8') expect(logits.every(Number.isFinite)).toBe(true);
      // What it was asked before has left nothing behind.
      expect(await model.predict(input(3))).toEqual(expected);
    }
  });

  it('settles what is under way when it is disposed', async () => {
    const model = await loadModel((precision === 'int8' ? int8 : float).save(), { threads: 2 });
    const calls = Promise.allSettled([model.classify(pixels), model.predict(input(1)), model.embed(pixels), model.profile()]);
    model.dispose();
    for (const { status } of await calls) expect(['fulfilled', 'rejected']).toContain(status);
    await expect(model.classify(pixels)).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });
});
