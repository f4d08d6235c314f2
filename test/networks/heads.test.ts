import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from '../../src/load.js';
import { worst } from '../weights/wild.js';

const PYTHON = '/usr/bin/python3';
const hasTorchvision = spawnSync(PYTHON, ['-c', 'import torchvision']).status === 0;

(hasTorchvision ? describe : describe.skip)('fine-tuned networks of torchvision (Debian: python3-torchvision)', () => {
  let folder: string;
  let logits: Record<string, number[]>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-heads-'));
    logits = JSON.parse(execFileSync(PYTHON, ['test/networks/heads.py', folder], { encoding: 'utf8' }));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['last-layer', 'mobilenet_v3_small'],
    ['last-layer-large', 'mobilenet_v3_large'],
    ['last-layer-v2', 'mobilenet_v2'],
    ['one-linear', 'mobilenet_v3_small'],
    ['norm', 'mobilenet_v3_small'],
    ['three-linear', 'mobilenet_v2'],
    ['hardswish', 'mobilenet_v3_large'],
  ])('%s: the logits are those of PyTorch', async (name, architecture) => {
    const model = await loadModel(join(folder, `${name}.pth`), name === 'hardswish' ? { headActivation: 'hardSwish' } : {});
    const expected = logits[name] as number[];
    expect(model).toMatchObject({ architecture, classes: expected.length });
    const data = new Float32Array(new Uint8Array(readFileSync(join(folder, 'image'))).buffer);
    expect(worst(await model.predict({ data, shape: [1, 64, 64, 3] }), expected)).toBeLessThan(1e-4);
  });
});
