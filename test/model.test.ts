import { layerErrors } from '../src/evaluation/layer-error.js';
import { compare, evaluate } from '../src/evaluation/metrics.js';
import { fuse } from '../src/graph/fusion.js';
import type { Tensor } from '../src/inputs.js';
import { loadModel, quantize } from '../src/load.js';
import { localModel } from '../src/model/local-model.js';
import type { Model } from '../src/model/model.js';
import { cosineSimilarity } from '../src/tasks/embedding.js';
import { random, randomNetwork, uniform } from './random-network.js';

const images = (seed: number, n = 1, h = 64, w = 64): Tensor => ({
  data: uniform(random(seed), n * h * w * 3, -2, 2),
  shape: [n, h, w, 3],
});

describe.each(['mobilenet_v3_small', 'mobilenet_v3_large', 'mobilenet_v2'] as const)('%s', (architecture) => {
  const network = fuse(randomNetwork(architecture, { classes: 37, width: 0.5 }));
  let model: Model;
  let int8: Model;
  beforeAll(async () => {
    model = await localModel(network);
    int8 = await quantize(model, [images(1), images(2), images(3)], { rounding: 'nearest' });
  });

  it('gives int8 logits close to float', async () => {
    const [a, b] = [await model.predict(images(7)), await int8.predict(images(7))];
    const mean = a.reduce((x, y) => x + y, 0) / a.length;
    const signal = a.reduce((sum, x) => sum + (x - mean) ** 2, 0);
    const noise = a.reduce((sum, x, i) => sum + (x - (b[i] as number)) ** 2, 0);
    // 8-bit weights alone leave 30 dB or more of a random network's logits; 20 is far above any broken layer's.
    expect(10 * Math.log10(signal / noise)).toBeGreaterThan(20);
  });

  it.each(['float32', 'int8'] as const)('comes back bit-identical from its own file, %s', async (precision) => {
    const original = precision === 'int8' ? int8 : model;
    const bytes = original.save();
    const copy = await loadModel(bytes);
    expect(copy.precision).toBe(precision);
    expect(await copy.predict(images(9, 2, 96, 64))).toEqual(await original.predict(images(9, 2, 96, 64)));
    expect(Buffer.compare(copy.save(), bytes)).toBe(0);
  });

  it('gives each image of a batch what it gets alone', async () => {
    const batch = images(5, 3);
    const together = await model.predict(batch);
    const size = 64 * 64 * 3;
    for (let i = 0; i < 3; i++) {
      const alone = await model.predict({ data: batch.data.slice(i * size, (i + 1) * size), shape: [1, 64, 64, 3] });
      expect(together.slice(i * 37, (i + 1) * 37)).toEqual(alone);
    }
  });

  it('tells a disposed model from a live one', async () => {
    const copy = await loadModel(model.save());
    copy.dispose();
    await expect(copy.predict(images(1))).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });

  it('refuses inputs that do not fit', async () => {
    await expect(model.predict({ data: new Float32Array(12), shape: [1, 2, 2, 3] })).rejects.toMatchObject({ code: 'ERR_SHAPE' });
    await expect(model.predict({ data: new Float32Array(5), shape: [1, 64, 64, 3] })).rejects.toThrow(/needs 12288 values; got 5/);
  });
});

describe('what people come with', () => {
  let model: Model;
  const pixels = { data: Uint8Array.from({ length: 90 * 70 * 3 }, (_, i) => (i * 37) % 251), width: 90, height: 70, channels: 3 as const };
  beforeAll(async () => {
    model = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 37, width: 0.5, resolution: 64 })));
  });
  afterAll(() => model.dispose());

  it('scoreThreshold leaves out the improbable classes', async () => {
    const all = await model.classify(pixels, { topK: 37 });
    const threshold = all[7]?.probability as number;
    expect(await model.classify(pixels, { topK: 37, scoreThreshold: threshold })).toEqual(all.slice(0, 8));
    expect(await model.classify(pixels, { topK: 3, scoreThreshold: threshold })).toEqual(all.slice(0, 3));
    expect(await model.classify(pixels, { scoreThreshold: 1 })).toEqual([]);
    await expect(model.classify(pixels, { scoreThreshold: 1.5 })).rejects.toThrow(
      'scoreThreshold must be a probability from 0 to 1; got 1.5.',
    );
    await expect(model.classify(pixels, { topK: 0 })).rejects.toThrow(/topK/);
  });

  it('regionOfInterest and rotationDegrees look at a part, turned, in every method', async () => {
    const framing = { regionOfInterest: { x: 10, y: 20, width: 40, height: 30 }, rotationDegrees: 90 as const };
    const part = { data: new Uint8Array(30 * 40 * 3), width: 30, height: 40, channels: 3 as const };
    for (let y = 0; y < 30; y++) {
      for (let x = 0; x < 40; x++) {
        const from = ((y + 20) * 90 + x + 10) * 3;
        part.data.set(pixels.data.subarray(from, from + 3), (x * 30 + 29 - y) * 3);
      }
    }
    expect(await model.classify(pixels, framing)).toEqual(await model.classify(part));
    expect(await model.logits(pixels, framing)).toEqual(await model.logits(part));
    expect(await model.embed(pixels, framing)).toEqual(await model.embed(part));
    expect(await model.preprocess(pixels, framing)).toEqual(await model.preprocess(part));
    await expect(model.classify(images(1), framing)).rejects.toThrow(/are for images; a tensor is taken as it is/);
  });

  it('embed() normalizes each row of a batch', async () => {
    const [given, normal] = [await model.embed(images(5, 2)), await model.embed(images(5, 2), { normalize: true })];
    const size = given.length / 2;
    for (const row of [0, 1]) {
      const [a, b] = [given, normal].map((all) => all.slice(row * size, (row + 1) * size)) as [Float32Array, Float32Array];
      expect(Math.hypot(...b)).toBeCloseTo(1, 5);
      expect(cosineSimilarity(a, b)).toBeCloseTo(1, 6);
    }
  });

  it('every method hears a signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const aborted = { code: 'ERR_ABORTED', name: 'AbortError', cause: signal.reason };
    await expect(model.predict(images(1), { signal })).rejects.toMatchObject(aborted);
    await expect(model.classify(pixels, { signal })).rejects.toMatchObject(aborted);
    await expect(model.embed(images(1), { signal })).rejects.toMatchObject(aborted);
    await expect(model.logits(pixels, { signal })).rejects.toMatchObject(aborted);
    await expect(model.preprocess(pixels, { signal })).rejects.toMatchObject(aborted);
    await expect(model.profile(undefined, { signal })).rejects.toMatchObject(aborted);
    const samples = [{ image: images(1), label: 0 }];
    await expect(evaluate(model, samples, { signal })).rejects.toMatchObject(aborted);
    await expect(compare(model, model, samples, { signal })).rejects.toMatchObject(aborted);
    await expect(layerErrors(model, model, [images(1)], { signal })).rejects.toMatchObject(aborted);
    const watching = model.watch({} as HTMLVideoElement, { signal })[Symbol.asyncIterator]();
    await expect(watching.next()).rejects.toMatchObject(aborted);
  });

  it('is disposed at the end of a block', async () => {
    const copy = await loadModel(model.save());
    copy[Symbol.dispose]();
    await expect(copy.predict(images(1))).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
  });

  it('watch() says where videos are', async () => {
    const watching = model.watch({} as HTMLVideoElement)[Symbol.asyncIterator]();
    await expect(watching.next()).rejects.toThrow(/watch\(\) works on videos of a page/);
  });
});
