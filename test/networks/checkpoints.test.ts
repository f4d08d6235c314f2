import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listLabelled } from '../../src/evaluation/dataset.js';
import { evaluate, type Sample } from '../../src/evaluation/metrics.js';
import { loadModel } from '../../src/load.js';
import type { Model } from '../../src/model/model.js';

// What PyTorch says of the shipped networks on the shipped pictures: training/verify.py.
interface Verified {
  readonly images: number;
  readonly top1: number;
  readonly logits: readonly number[][];
}
const golden = JSON.parse(readFileSync('test/golden/checkpoints.json', 'utf8')) as Record<string, Verified> & { files: string[] };
const PICTURES = 'images/validation';

describe.each(['mobilenet_v3_small', 'mobilenet_v3_large'])('the shipped %s', (name) => {
  const { logits, top1, images } = golden[name] as Verified;
  let model: Model;
  beforeAll(async () => {
    expect(existsSync(`checkpoints/${name}.safetensors`)).toBe(true);
    model = await loadModel(`checkpoints/${name}.safetensors`);
  });

  it("gives PyTorch's logits, from the JPEG on", async () => {
    for (const [i, file] of golden.files.entries()) {
      const expected = logits[i] as number[];
      const actual = await model.logits(join(PICTURES, file));
      const deviation = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
      const worst = expected.reduce((most, x, j) => Math.max(most, Math.abs(x - (actual[j] as number))), 0);
      expect(worst / deviation).toBeLessThan(1e-3);
    }
  });

  it("has PyTorch's accuracy within a picture of a thousand", async () => {
    const files = await listLabelled(PICTURES, model);
    expect(files).toHaveLength(images);
    const samples = files.map(({ path, label }): Sample => ({ image: path, label }));
    const { top1: ours } = await evaluate(model, samples);
    expect(Math.abs(ours - top1)).toBeLessThanOrEqual(0.001 + 1e-6);
  });
});
