import { fuse } from '../../src/graph/fusion.js';
import { loadModel } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { writeSafetensors } from '../../src/weights/safetensors.js';
import { readSafetensors } from '../../src/weights/safetensors-reader.js';
import type { RawTensor } from '../../src/weights/tensors.js';
import { checkpoint } from '../pseudo-random.js';
import { randomNetwork } from '../random-network.js';

const tensors = () => checkpoint('mobilenet_v3_small', { width: 0.35, classes: 7 });
const file = (all: Map<string, RawTensor>) => writeSafetensors({ tensors: all, metadata: {} });
const change = (how: (all: Map<string, RawTensor>) => void) => {
  const all = tensors();
  how(all);
  return file(all);
};
const withValue = (name: string, value: number) =>
  change((all) => {
    const tensor = all.get(name) as RawTensor;
    const bytes = tensor.bytes.slice();
    new DataView(bytes.buffer).setFloat32(0, value, true);
    all.set(name, { ...tensor, bytes });
  });

const header = (length: bigint, rest = '{}') => {
  const bytes = new Uint8Array(8 + rest.length);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  bytes.set(new TextEncoder().encode(rest), 8);
  return bytes;
};

describe('a weights file', () => {
  it('that is sound loads, from a Buffer in a pool as well', async () => {
    const bytes = Buffer.concat([Buffer.from([1, 2, 3]), file(tensors())]).subarray(3);
    expect((await loadModel(bytes)).classes).toBe(7);
  });

  it.each([
    ['is empty', new Uint8Array(), /0 bytes .*are no model/],
    ['is no model', new TextEncoder().encode('<!doctype html><html></html>'), /that begin with "3c 21/],
    ['claims a longer header than it has', header(1n << 40n), /the header claims 1099511627776 bytes/],
    ['has a header that is no JSON', header(4n, '{{{{'), /header is no JSON/],
    [
      'claims more tensor than it has',
      header(70n, '{"a":{"dtype":"F32","shape":[1000000],"data_offsets":[0,4000000]}}    '),
      /truncated or damaged/,
    ],
    ['is truncated', file(tensors()).subarray(0, 200_000), /truncated or damaged/],
    ['has names of nothing known', file(new Map([['foo', tensors().values().next().value as RawTensor]])), /neither torchvision's/],
    ['misses a tensor', change((all) => all.delete('features.3.block.0.0.weight')), /missing: features.3.block.0.0.weight/],
    ['misses a batch norm', change((all) => all.delete('features.3.block.0.1.bias')), /"features.3.block.0.1.bias" is missing/],
    ['has a tensor too many', change((all) => all.set('extra', all.get('classifier.3.bias') as RawTensor)), /no place for: extra/],
    ['has NaN', withValue('features.0.0.weight', Number.NaN), /"features.0.0.weight" holds NaN/],
    ['has infinity', withValue('classifier.3.bias', Number.POSITIVE_INFINITY), /holds Infinity/],
    ['has a negative variance', withValue('features.0.1.running_var', -1), /a negative variance/],
    ['begins as TFLite and does not go on', new Uint8Array([255, 255, 255, 127, 84, 70, 76, 51, 0, 0]), /tflite: the file points to/],
  ])('that %s is a ModelFormatError', async (_, bytes, message) => {
    const loading = loadModel(bytes);
    await expect(loading).rejects.toMatchObject({ code: 'ERR_MODEL_FORMAT' });
    await expect(loading).rejects.toThrow(message);
  });

  it('that has a tensor of the wrong shape names it', async () => {
    const bytes = change((all) => {
      const bias = all.get('classifier.3.bias') as RawTensor;
      all.set('classifier.3.bias', { ...bias, shape: [1, 1, 7] });
    });
    await expect(loadModel(bytes)).rejects.toThrow(/"classifier.3.bias" has shape \[1,1,7\]; \[7\] was expected/);
  });

  it('of our own with a graph that was tampered with is refused', async () => {
    const model = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 7, width: 0.35 })));
    const own = readSafetensors(model.save());
    const tampered = (from: string | RegExp, to: string) => {
      const network = (own.metadata['network'] as string).replace(from, to);
      expect(network).not.toBe(own.metadata['network']);
      return writeSafetensors({ ...own, metadata: { ...own.metadata, network } });
    };
    for (const [from, to] of [
      ['"version":2', '"version":9'],
      ['"kind":"multiply"', '"kind":"shell"'],
      ['"strides":[2,2]', '"strides":[0,2]'],
      ['"inputs":["stem"]', '"inputs":["nowhere"]'],
      ['"classes":7', '"classes":8'],
      ['"resolution":224', '"resolution":1e9'],
      ['"nodes":[', '"nodes":["x",'],
    ] as const) {
      await expect(loadModel(tampered(from, to))).rejects.toMatchObject({
        code: expect.stringMatching(/ERR_(MODEL_FORMAT|UNSUPPORTED_MODEL|SHAPE)/),
      });
    }
  });

  it.each([['no/such/file.safetensors', /cannot be read/]])('at a path that is none is an InputError', async (path, message) => {
    await expect(loadModel(path)).rejects.toThrow(message);
  });

  it('is not loaded once the signal is aborted', async () => {
    await expect(loadModel(file(tensors()), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: 'AbortError',
      code: 'ERR_ABORTED',
    });
  });

  it('takes labels that fit and no others', async () => {
    const labels = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    expect((await loadModel(file(tensors()), { labels })).labels).toEqual(labels);
    await expect(loadModel(file(tensors()), { labels: ['a'] })).rejects.toThrow(/labels must name each of the 7 classes; got 1/);
  });
});
