import { ARCHITECTURE_NAMES } from '../../src/architecture/tables.js';
import { loadModel } from '../../src/load.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import type { RawTensor } from '../../src/weights/tensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';

const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;
const file = (tensors: Map<string, RawTensor>) => writeSafetensors({ tensors, metadata: {} });

describe.each(ARCHITECTURE_NAMES)('%s', (architecture) => {
  it.each(['torchvision', 'timm'] as const)('is told by the tensors of %s, with its width and classes', async (convention) => {
    const model = await loadModel(file(checkpoint(architecture, { width: 0.5, classes: 9 }, convention)));
    expect(model).toMatchObject({ architecture, classes: 9 });
    expect(model.summary.width).toBe(0.5);
    expect((await model.predict(image)).every(Number.isFinite)).toBe(true);
  });
});

it('reads bfloat16 as the upper half of float32', async () => {
  const whole = checkpoint('mobilenet_v3_small', { width: 0.5, classes: 9 });
  const [half, cut] = [new Map<string, RawTensor>(), new Map<string, RawTensor>()];
  for (const [name, { shape, bytes }] of whole) {
    const words = new Uint32Array(bytes.slice().buffer);
    half.set(name, { dtype: 'BF16', shape, bytes: new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer) });
    cut.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(words.map((word) => word & 0xffff0000).buffer) });
  }
  const [a, b] = [await loadModel(file(half)), await loadModel(file(cut))];
  expect(await a.predict(image)).toEqual(await b.predict(image));
});
