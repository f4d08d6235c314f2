import { listImages } from '../../src/evaluation/dataset.js';
import { fuse } from '../../src/graph/fusion.js';
import type { ModelInput, Tensor } from '../../src/inputs.js';
import { loadModel } from '../../src/load.js';
import { localModel, sessionOf } from '../../src/model/local-model.js';
import type { Model } from '../../src/model/model.js';
import { quantizeWith } from '../../src/model/quantize.js';
import { calibrate } from '../../src/quantization/calibrate.js';
import { Divergence } from '../../src/quantization/divergence.js';
import { SCHEME_NAMES, SCHEMES, type SchemeName } from '../../src/quantization/schemes.js';
import { random, randomNetwork, uniform } from '../random-network.js';

/** Signal over noise of each scheme's logits, in decibels. */
async function decibels(float: Model, calibration: readonly ModelInput[], others: readonly ModelInput[], schemes: readonly SchemeName[]) {
  const seen = await calibrate(sessionOf(float), calibration, { histograms: true });
  const result = {} as Record<SchemeName, number>;
  for (const name of schemes) {
    const candidate = await quantizeWith(float, seen, SCHEMES[name]);
    const divergence = new Divergence();
    for (const input of others) divergence.add(await float.logits(input), await candidate.logits(input));
    result[name] = divergence.sqnrDb;
    candidate.dispose();
  }
  return result;
}

it('16-bit lanes are worth a bit and more, on random weights and noise', async () => {
  const image = (seed: number): Tensor => ({ data: uniform(random(seed), 64 * 64 * 3, -2, 2), shape: [1, 64, 64, 3] });
  const float = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.25 })));
  const others = [10, 11, 12, 13, 14, 15].map(image);
  const { perTensor, perChannel, wide } = await decibels(float, [1, 2, 3].map(image), others, ['perTensor', 'perChannel', 'wide']);
  // A bit is 6 dB: 16-bit lanes leave the filters' rounding alone, which weighs more.
  expect(wide).toBeGreaterThan(Math.max(perTensor, perChannel) + 3);
});

it('quantization gets better from step to step, on a trained network and pictures', async () => {
  const float = await loadModel('checkpoints/mobilenet_v3_small.safetensors');
  const spread = async (folder: string, every: number) => (await listImages(folder)).filter((_, i) => i % every === 0);
  const [calibration, others] = [await spread('images/calibration', 5), await spread('images/validation', 25)];
  const steps = SCHEME_NAMES.filter((name) => name !== 'eight');
  const db = await decibels(float, calibration, others, steps);
  expect([...steps].sort((a, b) => db[a] - db[b])).toEqual(steps);
}, 180_000);
