import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel, quantize } from '../../src/load.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';

const PYTHON = '/usr/bin/python3';
const hasTorchvision = spawnSync(PYTHON, ['-c', 'import torchvision']).status === 0;
const ARCHITECTURES = ['mobilenet_v3_small', 'mobilenet_v3_large', 'mobilenet_v2'] as const;

const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;
const load = (architecture: (typeof ARCHITECTURES)[number]) =>
  loadModel(writeSafetensors({ tensors: checkpoint(architecture, { classes: 9 }), metadata: {} }));

/** The largest difference in units of the expected values' standard deviation. */
function difference(actual: ArrayLike<number>, expected: Float32Array): number {
  const spread = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
  return expected.reduce((most, x, i) => Math.max(most, Math.abs(x - (actual[i] as number))), 0) / spread;
}

describe.each(ARCHITECTURES)('%s', (architecture) => {
  it.each(['torchvision', 'timm'] as const)('goes out under the names of %s and comes back', async (names) => {
    const model = await load(architecture);
    const back = await loadModel(model.save({ names }));
    expect(back).toMatchObject({ architecture, classes: 9, preprocessing: model.preprocessing });
    expect(difference(await back.predict(image), await model.predict(image))).toBeLessThan(1e-5);
    // What was folded once stays as it is.
    expect(Buffer.compare(back.save({ names }), (await loadModel(back.save({ names }))).save({ names }))).toBe(0);
  });

  (hasTorchvision ? it : it.skip)('is what PyTorch computes from it (Debian: python3-torchvision)', async () => {
    const model = await load(architecture);
    const folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-export-'));
    try {
      writeFileSync(join(folder, 'weights'), model.save({ names: 'torchvision' }));
      writeFileSync(join(folder, 'image'), new Uint8Array(image.data.buffer));
      const script = ['test/weights/export.py', architecture, '1', '9', join(folder, 'weights'), join(folder, 'image')];
      const logits = JSON.parse(execFileSync(PYTHON, script, { encoding: 'utf8' })) as number[];
      expect(difference(logits, await model.predict(image))).toBeLessThan(1e-4);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('says why an int8 model, or one that pads otherwise, has no such names', async () => {
  const model = await load('mobilenet_v3_small');
  const int8 = await quantize(model, [image], { rounding: 'nearest' });
  expect(() => int8.save({ names: 'torchvision' })).toThrow(/precision: 'float32'/);
  const float = await loadModel(int8.save(), { precision: 'float32' });
  expect(difference(await (await loadModel(float.save({ names: 'timm' }))).predict(image), await float.predict(image))).toBeLessThan(1e-5);
});
