import { InputError } from '../../src/errors.js';
import type { Network } from '../../src/graph/network.js';
import { bytesSource } from '../../src/source/source.js';
import type { Source } from '../../src/source/types.js';
import { readNetwork } from '../../src/weights/load.js';
import { writeNative } from '../../src/weights/native.js';
import { READERS } from '../../src/weights/readers.js';
import { smallNetwork } from '../small-network.js';

// The format is told by the bytes; labels may lie beside them.

const text = (value: string) => Uint8Array.from(value, (c) => c.charCodeAt(0));
const formatOf = (bytes: Uint8Array) => READERS.find(({ sniff }) => sniff(bytes))?.name;
const ZIP = [0x50, 0x4b, 0x03, 0x04];

it.each<[string, Uint8Array, string | undefined]>([
  ['the name of a FlatBuffer', text('\x1c\0\0\0TFL3'), '.tflite'],
  ['another FlatBuffer', text('\x1c\0\0\0TFL2'), undefined],
  ['a JSON object', text('{"format":'), 'model.json of TensorFlow.js'],
  ['a JSON object behind blanks', text(' \n\t {"a":1'), 'model.json of TensorFlow.js'],
  ['a JSON object behind a byte order mark', text('\xef\xbb\xbf{"a":1}'), 'model.json of TensorFlow.js'],
  ['a JSON list', text('[{"a":1}]'), undefined],
  ['too short a JSON object', text('{"a":1}'), undefined],
  ['a length that begins like an object', Uint8Array.of(0x7b, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), '.safetensors'],
  ['a length and an object', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d), '.safetensors'],
  ['a length and half an object', Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0x7b), undefined],
  ['an archive', Uint8Array.from([...ZIP, 0, 0]), '.pth'],
  ['half an archive', Uint8Array.from(ZIP.slice(0, 3)), undefined],
  ['an archive with weights of Keras', Uint8Array.from([...ZIP, ...text('model.weights.h5')]), '.keras'],
  ['an archive that ends with other names', Uint8Array.from([...ZIP, ...text('model.weights.h5'), ...new Array(2048)]), '.pth'],
  ['weights of Keras in no archive', text('PK\x03\x05model.weights.h5'), undefined],
  ['HDF5', Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a), '.h5'],
  ['another file of that kind', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a), undefined],
  ['a version and a producer', Uint8Array.of(0x08, 7, 0x12), '.onnx'],
  ['a version and a graph', Uint8Array.of(0x08, 31, 0x3a), '.onnx'],
  ['too late a version', Uint8Array.of(0x08, 32, 0x3a), undefined],
  ['a version and something else', Uint8Array.of(0x08, 7, 0x08), undefined],
  ['another message', Uint8Array.of(0x0a, 7, 0x12), undefined],
  ['a message of one byte', Uint8Array.of(0x08), undefined],
  ['nothing', new Uint8Array(), undefined],
])('knows %s', (_, bytes, format) => {
  expect(formatOf(bytes)).toBe(format);
});

it('says what no model begins with, and what is read', async () => {
  await expect(readNetwork(bytesSource(Uint8Array.of(1, 2, 255)))).rejects.toThrow(
    '3 bytes that begin with "01 02 ff" are no model; .tflite, model.json of TensorFlow.js, .safetensors, .keras, .pth, .h5 and .onnx files are read.',
  );
  await expect(readNetwork(bytesSource(new Uint8Array(9)))).rejects.toThrow(
    '9 bytes that begin with "00 00 00 00 00 00 00 00" are no model',
  );
  const legacy = Uint8Array.of(0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c);
  await expect(readNetwork(bytesSource(legacy))).rejects.toThrow("a checkpoint in PyTorch's format of before 1.6");
  await expect(readNetwork(bytesSource(legacy.with(5, 0)))).rejects.toThrow('are no model');
});

describe('labels.txt', () => {
  const [named, unnamed] = [{ ...smallNetwork(), labels: ['1', '2', '3', '4', '5'] }, smallNetwork()];
  const read = (network: Network, lines: string | undefined, listed = true) => {
    const source: Source = {
      ...bytesSource(writeNative(network)),
      listed,
      beside: async (name) => {
        if (lines === undefined || name !== 'labels.txt') throw new InputError(`no ${name}`);
        return text(lines);
      },
    };
    return readNetwork(source).then(({ labels }) => labels);
  };

  it('names the classes of a file that does not', async () => {
    expect(await read(unnamed, 'a\nb\nc\nd\ne\n')).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await read(unnamed, 'a\nb\n')).toBeUndefined();
    expect(await read(unnamed, undefined)).toBeUndefined();
    expect(await read(named, 'a\nb\nc\nd\ne\n')).toEqual(['1', '2', '3', '4', '5']);
  });

  it('is not asked for where that costs something, or where there are no classes', async () => {
    expect(await read(unnamed, 'a\nb\nc\nd\ne\n', false)).toBeUndefined();
    const features: Network = { ...unnamed, graph: { ...unnamed.graph, classes: 0, outputs: { embedding: 'pool' } } };
    expect(await read(features, '')).toBeUndefined();
  });
});
