import { loadModel, quantize } from '../../src/load.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';
import { difference } from './difference.js';

// What PyTorch makes of exported files: test/networks/export.test.ts.

const image = { data: pseudoRandom('x', 32 * 32 * 3), shape: [1, 32, 32, 3] } as const;
const load = (architecture: 'mobilenet_v3_small' | 'mobilenet_v3_large' | 'mobilenet_v2') =>
  loadModel(writeSafetensors({ tensors: checkpoint(architecture, { width: 0.5, classes: 9 }), metadata: {} }));

describe.each(['mobilenet_v3_small', 'mobilenet_v3_large', 'mobilenet_v2'] as const)('%s', (architecture) => {
  it.each(['torchvision', 'timm'] as const)('goes out under the names of %s and comes back', async (names) => {
    const model = await load(architecture);
    const back = await loadModel(model.save({ names }));
    expect(back).toMatchObject({ architecture, classes: 9, preprocessing: model.preprocessing });
    expect(difference(await back.predict(image), await model.predict(image))).toBeLessThan(1e-5);
    // What was folded once stays as it is.
    expect(Buffer.compare(back.save({ names }), (await loadModel(back.save({ names }))).save({ names }))).toBe(0);
  });
});

it('says why an int8 model, or one that pads otherwise, has no such names', async () => {
  const model = await load('mobilenet_v3_small');
  const int8 = await quantize(model, [image], { rounding: 'nearest' });
  expect(() => int8.save({ names: 'torchvision' })).toThrow(/precision: 'float32'/);
  const float = await loadModel(int8.save(), { precision: 'float32' });
  expect(difference(await (await loadModel(float.save({ names: 'timm' }))).predict(image), await float.predict(image))).toBeLessThan(1e-5);
});
