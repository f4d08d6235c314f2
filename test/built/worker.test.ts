import { fuse } from '../../src/graph/fusion.js';
import * as built from '../../src/index.js';
import type { Tensor } from '../../src/inputs.js';
import { localModel } from '../../src/model/local-model.js';
import type { Model } from '../../src/model/model.js';
import { random, randomNetwork, uniform } from '../random-network.js';

const { loadModel, quantize } = built;

const input = (seed: number): Tensor => ({ data: uniform(random(seed), 64 * 64 * 3, -2, 2), shape: [1, 64, 64, 3] });
const pixels = { data: new Uint8Array(90 * 70 * 3).map((_, i) => (i * 37) % 251), width: 90, height: 70, channels: 3 as const };

describe('a model in a worker', () => {
  let bytes: Uint8Array;
  let local: Model;
  let remote: Model;
  beforeAll(async () => {
    const made = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.5, resolution: 64 })));
    bytes = made.save();
    made.dispose();
    local = await loadModel(bytes);
    remote = await loadModel(bytes, { worker: true });
  });
  afterAll(() => {
    local.dispose();
    remote.dispose();
  });

  it('is what it would be without', async () => {
    expect(remote.runtimeFeatures).toEqual({ ...local.runtimeFeatures, worker: true });
    for (const fact of ['architecture', 'precision', 'inputSize', 'classes', 'labels', 'hasLabels', 'preprocessing', 'summary'] as const) {
      expect(remote[fact]).toEqual(local[fact]);
    }
    expect(Buffer.compare(remote.save(), bytes)).toBe(0);
  });

  it('gives the same answers', async () => {
    expect(await remote.predict(input(1))).toEqual(await local.predict(input(1)));
    expect(await remote.classify(pixels, { topK: 3 })).toEqual(await local.classify(pixels, { topK: 3 }));
    expect(await remote.embed(pixels)).toEqual(await local.embed(pixels));
    expect(await remote.logits(pixels)).toEqual(await local.logits(pixels));
    expect(await remote.preprocess(pixels)).toEqual(await local.preprocess(pixels));
    expect((await remote.profile()).map(({ name }) => name)).toEqual((await local.profile()).map(({ name }) => name));
  });

  it('hears the options of each method', async () => {
    const framing = { regionOfInterest: { x: 10, y: 20, width: 40, height: 30 }, rotationDegrees: 90 as const };
    const choice = { ...framing, topK: 31, scoreThreshold: 0.02 };
    const expected = await local.classify(pixels, choice);
    expect(expected.length).toBeLessThan(31);
    expect(await remote.classify(pixels, choice)).toEqual(expected);
    expect(await remote.embed(pixels, { ...framing, normalize: true })).toEqual(await local.embed(pixels, { ...framing, normalize: true }));
    expect(await remote.logits(pixels, framing)).toEqual(await local.logits(pixels, framing));
    expect(await remote.preprocess(pixels, framing)).toEqual(await local.preprocess(pixels, framing));
    await expect(remote.classify(pixels, { scoreThreshold: 2 })).rejects.toThrow(/scoreThreshold/);
    const signal = AbortSignal.abort();
    for (const answer of [remote.predict(input(1), { signal }), remote.embed(pixels, { signal }), remote.profile(undefined, { signal })]) {
      await expect(answer).rejects.toThrow(built.AbortError);
    }
  });

  it('quantizes where it is, to the same bytes', async () => {
    const heard: number[] = [];
    const a = await quantize(remote, [input(1), input(2)], { rounding: 'nearest', onProgress: (n) => heard.push(n) });
    const b = await quantize(local, [input(1), input(2)], { rounding: 'nearest' });
    expect(heard).toEqual([1, 2]);
    expect(a.runtimeFeatures.worker).toBe(true);
    expect(Buffer.compare(a.save(), b.save())).toBe(0);
    expect(await a.predict(input(3))).toEqual(await b.predict(input(3)));
    a.dispose();
    b.dispose();
    expect(await remote.predict(input(1))).toEqual(await local.predict(input(1)));
  });

  it('says how far quantizing is, layer by layer, and stops in the middle when it is told to', async () => {
    const heard: (number | undefined)[][] = [];
    const abort = new AbortController();
    const onProgress = (...numbers: (number | undefined)[]) => {
      heard.push(numbers);
      if (numbers[1] === 2) abort.abort();
    };
    await expect(quantize(remote, [input(1), input(2)], { onProgress, signal: abort.signal })).rejects.toThrow(built.AbortError);
    const layers = heard.filter(([, layer]) => layer !== undefined);
    const [, , of] = layers[0] as [number, number, number];
    expect(heard.slice(0, 2)).toEqual([[1], [2]]);
    expect(layers.slice(0, 2)).toEqual([
      [2, 1, of],
      [2, 2, of],
    ]);
    // A message may be on its way; the other layers are not.
    expect(layers.length).toBeLessThan(of / 2);
    expect(await remote.predict(input(1))).toEqual(await local.predict(input(1)));
  });

  it('copies an input, or takes it', async () => {
    const [kept, given] = [input(4), input(4)];
    const expected = await remote.predict(kept);
    expect(kept.data.length).toBe(64 * 64 * 3);
    expect(await remote.predict(given, { transfer: true })).toEqual(expected);
    expect(given.data.length).toBe(0);
  });

  it('tells errors as they are', async () => {
    await expect(remote.predict({ data: new Float32Array(3), shape: [1, 1, 1, 3] })).rejects.toThrow(built.ShapeError);
    await expect(remote.classify(new Uint8Array([1, 2, 3]))).rejects.toThrow(built.ImageError);
    await expect(loadModel(new Uint8Array(100), { worker: true })).rejects.toThrow(built.ModelFormatError);
    await expect(loadModel('/no/such/file', { worker: true })).rejects.toThrow(built.InputError);
    async function* broken() {
      yield input(1);
      throw new RangeError('the camera is gone');
    }
    await expect(quantize(remote, broken())).rejects.toThrow('the camera is gone');
    await expect(quantize(remote, [])).rejects.toThrow(built.QuantizationError);
  });

  it('settles what is under way when it is aborted or disposed', async () => {
    const abort = new AbortController();
    const aborted = remote.classify(pixels, { signal: abort.signal });
    abort.abort();
    await expect(aborted).rejects.toThrow(built.AbortError);
    const other = await loadModel(bytes, { worker: true });
    const calls = [other.predict(input(1)), other.classify(pixels), other.profile(), quantize(other, [input(1)], { rounding: 'nearest' })];
    const settled = Promise.allSettled(calls);
    other.dispose();
    other.dispose();
    for (const call of await settled) expect(call).toMatchObject({ status: 'rejected', reason: { code: 'ERR_DISPOSED' } });
    await expect(other.predict(input(1))).rejects.toThrow(built.DisposedError);
    expect(() => other.save()).toThrow(built.DisposedError);
  });

  it('answers many calls at once', async () => {
    const expected = await local.classify(pixels);
    for (const answer of await Promise.all(Array.from({ length: 20 }, () => remote.classify(pixels)))) expect(answer).toEqual(expected);
  });
});
