import type * as h5wasm from 'h5wasm';
import { loadModel } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { pseudoRandom } from '../pseudo-random.js';
import { type Layer, layersOf, legacy, modern } from './keras-files.js';
import { isReady, writtenHdf5 as written } from './keras-writer.js';

const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;

beforeAll(async () => {
  await isReady;
});

describe.each(['mobilenet_v3_small', 'mobilenet_v3_large'] as const)('%s', (architecture) => {
  it.each([
    ['a legacy .h5 file', legacy],
    ['a .weights.h5 file of Keras 3', modern],
  ])('is read from %s', async (_, layout) => {
    const { layers, network: expected } = layersOf(architecture);
    const model = await loadModel(await written((file) => layout(file, layers)));
    expect(model).toMatchObject({ architecture, classes: 7, preprocessing: expected.preprocessing });
    const [a, b] = [await model.predict(image), await (await localModel(expected)).predict(image)];
    const spread = Math.sqrt(b.reduce((sum, x) => sum + x * x, 0) / b.length);
    expect(Math.max(...a.map((x, i) => Math.abs(x - (b[i] as number)))) / spread).toBeLessThan(1e-5);
  });
});

it('says what is wrong', async () => {
  const { layers } = layersOf('mobilenet_v3_small');
  const file = (change: (layers: Layer[]) => void) => {
    const copy = layers.map((layer) => ({ ...layer }));
    change(copy);
    return written((target) => modern(target, copy));
  };
  await expect(loadModel(await file((list) => list.pop()))).rejects.toThrow(/no MobileNetV3 with its top; .*model\.save\('model\.keras'\)/);
  await expect(loadModel(await file((list) => Object.assign(list[0] as Layer, { norm: undefined })))).rejects.toThrow(/batch norm/);
  await expect(
    loadModel(await file((list) => Object.assign(list[3] as Layer, { kernel: (list[3] as Layer).kernel.map(() => Number.NaN) }))),
  ).rejects.toThrow(/weights are to be finite/);
  await expect(loadModel(await written((target) => target.create_group('other')))).rejects.toThrow(/no layers/);
  const whole = await written((target) => modern(target, layers));
  for (const cut of [8, 100, 3000, whole.length >> 1]) {
    await expect(loadModel(whole.slice(0, cut))).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) });
  }
});

it('a file that never ends, or asks for all memory, costs a clear error, and the next file is read', async () => {
  const { layers } = layersOf('mobilenet_v3_small');
  const endless = await written((file) => {
    modern(file, layers);
    const group = file.get('layers/conv2d/vars') as h5wasm.Group;
    // A group inside itself.
    group.create_hard_link('/layers/conv2d/vars', 'again');
  });
  const huge = await written((file) => {
    modern(file, layers);
    // Chunks that were never written take no room in the file.
    const vars = file.get('layers/conv2d/vars') as h5wasm.Group;
    const few = { data: new Float32Array(64), shape: [8, 8], maxshape: [null, null], chunks: [8, 8] };
    vars.create_dataset({ name: '2', dtype: '<f', ...few }).resize([1 << 14, 1 << 14]);
  });
  const whole = await written((file) => modern(file, layers));
  await expect(loadModel(endless)).rejects.toThrow(/a group lies inside itself/);
  await expect(loadModel(huge)).rejects.toThrow(/a tensor of 1073741824 bytes in a file of/);
  const both = await Promise.allSettled([loadModel(endless), loadModel(whole)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
});
