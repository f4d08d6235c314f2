import { fuse } from '../../src/graph/fusion.js';
import type { Tensor } from '../../src/inputs.js';
import { localModel, sessionOf } from '../../src/model/local-model.js';
import type { Model } from '../../src/model/model.js';
import { quantizeWith } from '../../src/model/quantize.js';
import { calibrate } from '../../src/quantization/calibrate.js';
import { Divergence } from '../../src/quantization/divergence.js';
import { SCHEME_NAMES, SCHEMES, type SchemeName } from '../../src/quantization/schemes.js';
import { random, randomNetwork, uniform } from '../random-network.js';

const image = (seed: number): Tensor => ({ data: uniform(random(seed), 64 * 64 * 3, -2, 2), shape: [1, 64, 64, 3] });
const network = fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.25 }));
const calibration = [image(1), image(2), image(3)];

async function divergence(reference: Model, candidate: Model): Promise<Divergence> {
  const result = new Divergence();
  for (let seed = 10; seed < 16; seed++) result.add(await reference.predict(image(seed)), await candidate.predict(image(seed)));
  return result;
}

it('quantization gets better from the first scheme to the last', async () => {
  const float = await localModel(network);
  const seen = await calibrate(sessionOf(float), calibration, { histograms: true });
  const db: Record<string, number> = {};
  for (const name of SCHEME_NAMES) db[name] = (await divergence(float, await quantizeWith(float, seen, SCHEMES[name]))).sqnrDb;
  const of = (name: SchemeName) => db[name] as number;
  // Worth 4.4 dB on our own Small and 0.1 on another one (docs/quantization.md): random weights and noise do not tell, but for harm.
  expect(of('bottleneck')).toBeGreaterThan(of('perChannel') - 1);
  // A bit is 6 dB: 16-bit lanes leave the filters' rounding alone, which weighs more.
  expect(of('wide')).toBeGreaterThan(of('bottleneck') + 3);
  // Rounding for the output's error (compensate.test.ts) needs more pictures than three, and pictures, not noise: here it may
  // cost what it gains elsewhere, and no more.
  expect(of('best')).toBeGreaterThan(of('refined') - 1);
});
