import { readFileSync } from 'node:fs';
import type { ArchitectureName } from '../../src/architecture/tables.js';
import { loadModel } from '../../src/load.js';
import type { Model } from '../../src/model/model.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';

interface Golden {
  readonly classes: number;
  readonly cases: readonly { architecture: ArchitectureName; width: number; height: number; side: number; logits: number[] }[];
}
const golden = JSON.parse(readFileSync('test/golden/torchvision.json', 'utf8')) as Golden;

/** Of the logits' standard deviation: float32 sums in another order differ by some 1e-6 of it. */
const TOLERANCE = 1e-4;

// Relaxed SIMD where this Node has it.
const networks = [...new Set(golden.cases.map(({ architecture, width }) => `${architecture} ${width}`))];

describe.each(networks)('torchvision, %s', (name) => {
  const cases = golden.cases.filter(({ architecture, width }) => `${architecture} ${width}` === name);
  const [{ architecture, width }] = cases as [Golden['cases'][number]];
  let model: Model;
  beforeAll(async () => {
    const tensors = checkpoint(architecture, { width, classes: golden.classes });
    model = await loadModel(writeSafetensors({ tensors, metadata: {} }));
  });

  it.each(cases)('gives the same logits at $height x $side', async ({ height, side, logits }) => {
    expect(model.architecture).toBe(architecture);
    const data = pseudoRandom(`${height}x${side}`, height * side * 3, (u) => 1.5 * u);
    const actual = await model.predict({ data, shape: [1, height, side, 3] });
    const mean = logits.reduce((sum, x) => sum + x, 0) / logits.length;
    const deviation = Math.sqrt(logits.reduce((sum, x) => sum + (x - mean) ** 2, 0) / logits.length);
    const worst = logits.reduce((most, x, i) => Math.max(most, Math.abs(x - (actual[i] as number))), 0);
    expect(worst / deviation).toBeLessThan(TOLERANCE);
  });
});
