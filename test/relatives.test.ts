import { readFileSync } from 'node:fs';
import { describe as summarize } from '../src/architecture/describe.js';
import type { ArchitectureName } from '../src/architecture/tables.js';
import { loadModel } from '../src/load.js';
import type { Model } from '../src/model/model.js';
import type { Convention } from '../src/weights/names.js';
import { writeSafetensors } from '../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from './pseudo-random.js';

interface Case {
  readonly architecture: ArchitectureName;
  readonly convention: Convention;
  readonly width: number;
  readonly height: number;
  readonly side: number;
  readonly logits: number[];
}
const golden = JSON.parse(readFileSync('test/golden/relatives.json', 'utf8')) as {
  classes: number;
  parameters: Record<ArchitectureName, number>;
  cases: Case[];
};

/** Of the logits' spread, their standard deviation: float32 sums in another order differ by some 1e-6 of it. */
const TOLERANCE = 1e-4;
const networks = [...new Set(golden.cases.map(({ architecture, width }) => `${architecture} ${width}`))];

describe.each(networks)('PyTorch, %s', (name) => {
  const cases = golden.cases.filter(({ architecture, width }) => `${architecture} ${width}` === name);
  const [{ architecture, width, convention }] = cases as [Case];
  const options = { width, classes: golden.classes, ...(width < 1 ? { headChannels: 1280 } : {}) };
  const names = convention === 'torchvision' ? (['torchvision', 'timm'] as const) : [convention];
  const models = new Map<Convention, Model>();
  beforeAll(async () => {
    for (const each of names)
      models.set(each, await loadModel(writeSafetensors({ tensors: checkpoint(architecture, options, each), metadata: {} })));
  });

  it.each(cases)('gives the same logits at $height x $side', async ({ height, side, logits }) => {
    const model = models.get(convention) as Model;
    expect([model.architecture, model.summary.width]).toEqual([architecture, width]);
    const data = pseudoRandom(`${height}x${side}`, height * side * 3, (u) => 1.5 * u);
    const actual = await model.predict({ data, shape: [1, height, side, 3] });
    const mean = logits.reduce((sum, x) => sum + x, 0) / logits.length;
    const deviation = Math.sqrt(logits.reduce((sum, x) => sum + (x - mean) ** 2, 0) / logits.length);
    const worst = logits.reduce((most, x, i) => Math.max(most, Math.abs(x - (actual[i] as number))), 0);
    expect(worst / deviation).toBeLessThan(TOLERANCE);
  });

  it('is told by the tensors of every convention that has it', () => {
    for (const model of models.values()) expect([model.architecture, model.summary.width]).toEqual([architecture, width]);
  });

  it('has as many parameters as PyTorch counts', () => {
    expect(summarize(architecture).parameters).toBe(golden.parameters[architecture]);
  });
});
