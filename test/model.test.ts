import { fuse } from '../src/graph/fusion.js';
import type { Tensor } from '../src/inputs.js';
import { loadModel, quantize } from '../src/load.js';
import { localModel } from '../src/model/local-model.js';
import type { Model } from '../src/model/model.js';
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
