import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '../../src/load.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';
import { difference } from '../weights/difference.js';

const PYTHON = '/usr/bin/python3';
const hasTorchvision = spawnSync(PYTHON, ['-c', 'import torchvision']).status === 0;
const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;

(hasTorchvision ? it : it.skip).each(['mobilenet_v3_small', 'mobilenet_v3_large', 'mobilenet_v2'] as const)(
  'an exported %s is what PyTorch computes from it (Debian: python3-torchvision)',
  async (architecture) => {
    const model = await loadModel(writeSafetensors({ tensors: checkpoint(architecture, { classes: 9 }), metadata: {} }));
    const folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-export-'));
    try {
      writeFileSync(join(folder, 'weights'), model.save({ names: 'torchvision' }));
      writeFileSync(join(folder, 'image'), new Uint8Array(image.data.buffer));
      const script = ['test/networks/export.py', architecture, '1', '9', join(folder, 'weights'), join(folder, 'image')];
      const logits = JSON.parse(execFileSync(PYTHON, script, { encoding: 'utf8' })) as number[];
      expect(difference(logits, await model.predict(image))).toBeLessThan(1e-4);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
