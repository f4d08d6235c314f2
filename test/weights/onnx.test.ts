import { readFileSync } from 'node:fs';
import { loadModel } from '../../src/load.js';
import { fieldsOf, numbersOf } from '../../src/weights/onnx/protobuf.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { checkpoint, pseudoRandom } from '../pseudo-random.js';

// Made by torch.onnx.export (scripts/golden.py) of the network whose weights checkpoint() makes here.
const read = (name: string) => new Uint8Array(readFileSync(`test/golden/${name}.onnx`));
const image = { data: pseudoRandom('x', 64 * 64 * 3), shape: [1, 64, 64, 3] } as const;

it.each(['small-folded', 'small-batchnorm'])('reads %s: the network that PyTorch exported', async (name) => {
  const twin = await loadModel(writeSafetensors({ tensors: checkpoint('mobilenet_v3_small', { width: 0.5, classes: 20 }), metadata: {} }));
  const model = await loadModel(read(name));
  expect(model).toMatchObject({ architecture: 'mobilenet_v3_small', classes: 20, inputSize: 224 });
  expect(model.summary.width).toBe(0.5);
  // The same layers under the same names, so that it is profiled, quantized and exported like any other.
  expect((await model.profile()).map(({ name }) => name)).toEqual((await twin.profile()).map(({ name }) => name));
  const [actual, expected] = [await model.predict(image), await twin.predict(image)];
  const spread = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
  expect(Math.max(...actual.map((x, i) => Math.abs(x - (expected[i] as number)))) / spread).toBeLessThan(1e-5);
  await expect(loadModel(model.save({ names: 'torchvision' }))).resolves.toMatchObject({ architecture: 'mobilenet_v3_small' });
});

/** A message of one length-delimited field. */
const field = (number: number, bytes: number[]) => [number * 8 + 2, bytes.length, ...bytes];
const text = (value: string) => [...value].map((c) => c.charCodeAt(0));
const model = (...graph: number[]) => Uint8Array.from([0x08, 8, ...field(7, graph)]);
const image3 = field(11, [
  ...field(1, text('x')),
  ...field(
    2,
    field(
      1,
      field(
        2,
        [1, 3, 32, 32].flatMap((side) => field(1, [0x08, side])),
      ),
    ),
  ),
]);
const output = field(12, field(1, text('y')));

it.each([
  ['no graph', Uint8Array.of(0x08, 8, 0x12, 0), /no graph/],
  [
    "a SavedModel of TensorFlow's",
    Uint8Array.of(0x08, 1, ...field(2, field(1, [...field(1, text('x')), 0, 0]))),
    /saved_model.pb of .* convert the whole folder/,
  ],
  ['a version of ONNX that is as small', Uint8Array.of(0x08, 1, ...field(2, text('pytorch'))), /no graph/],
  ['a field longer than the file', Uint8Array.of(0x08, 8, 0x3a, 120, 1), /claims 120 bytes/],
  ['a number cut off', Uint8Array.of(0x08, 8, 0x12, 0xff), /cut off/],
  ['no input', model(...output), /no input or no output/],
  [
    'an operator of no classifier',
    model(...image3, ...field(1, [...field(1, text('x')), ...field(2, text('y')), ...field(4, text('LSTM'))]), ...output),
    /operator LSTM/,
  ],
  [
    'a tensor that nothing computes',
    model(...image3, ...field(1, [...field(1, text('z')), ...field(2, text('y')), ...field(4, text('Relu'))]), ...output),
    /"z" is read before/,
  ],
  [
    'no classifier',
    model(...image3, ...field(1, [...field(1, text('x')), ...field(2, text('y')), ...field(4, text('Relu'))]), ...output),
    /networks that classify an image or give its features/,
  ],
  [
    'a tensor with more than it holds',
    model(...field(5, [0x08, 100, 0x10, 1, ...field(8, text('w')), ...field(9, [0, 0, 0, 0])])),
    /holds 1 values/,
  ],
  ['a tensor of strings', model(...field(5, [0x08, 1, 0x10, 8, ...field(8, text('w'))])), /data type 8/],
  ['a tensor in a file that it does not name', model(...field(5, [0x10, 1, ...field(8, text('w')), 0x70, 1])), /another file, ""/],
])('says what is wrong with %s', async (_, bytes, message) => {
  await expect(loadModel(bytes)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/), message: expect.stringMatching(message) });
});

it('reads negative numbers and packed lists', () => {
  const [negative] = fieldsOf(Uint8Array.of(0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01));
  expect(negative?.value).toBe(-2);
  const [packed] = fieldsOf(Uint8Array.of(0x42, 4, 1, 0x80, 2, 3));
  expect(numbersOf(packed as NonNullable<typeof packed>)).toEqual([1, 256, 3]);
});
