import { writeSafetensors } from '../../src/weights/safetensors.js';
import { readSafetensors } from '../../src/weights/safetensors-reader.js';
import {
  DTYPE_BYTES,
  elements,
  expectTensor,
  firstNotFinite,
  halfToFloat,
  type RawTensor,
  refuseExtra,
  type TensorFile,
  toFloat32,
  toInt8,
  toInt32,
} from '../../src/weights/tensors.js';

const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const tensor = (dtype: RawTensor['dtype'], shape: readonly number[], values: ArrayBufferView): RawTensor => ({
  dtype,
  shape,
  bytes: bytesOf(values),
});
const HALVES = Uint16Array.of(0x3c00, 0xc000);
const ALL = new Map<string, RawTensor>([
  ['bytes', tensor('I8', [3], Int8Array.of(1, -2, 3))],
  ['halves', tensor('F16', [2], HALVES)],
  ['floats', tensor('F32', [1, 2], Float32Array.of(0.5, -4))],
  ['cut', tensor('BF16', [1], Uint16Array.of(0x4049))],
  ['whole', tensor('I32', [], Int32Array.of(-7))],
]);
const file = (tensors: ReadonlyMap<string, RawTensor> = ALL, metadata: Record<string, string> = {}): TensorFile => ({ tensors, metadata });

describe('writeSafetensors()', () => {
  it('lays wide types out first, each at a multiple of its own size, behind a header of a multiple of 8', () => {
    const bytes = writeSafetensors(file(ALL, { format: 'pt' }));
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    expect(header).toEqual({
      __metadata__: { format: 'pt' },
      floats: { dtype: 'F32', shape: [1, 2], data_offsets: [0, 8] },
      whole: { dtype: 'I32', shape: [], data_offsets: [8, 12] },
      halves: { dtype: 'F16', shape: [2], data_offsets: [12, 16] },
      cut: { dtype: 'BF16', shape: [1], data_offsets: [16, 18] },
      bytes: { dtype: 'I8', shape: [3], data_offsets: [18, 21] },
    });
    expect(bytes).toHaveLength(8 + length + 21);
    expect(readSafetensors(bytes)).toEqual(file(ALL, { format: 'pt' }));
  });

  it('counts bytes, not characters, of names', () => {
    for (const name of ['a', 'ab', 'ä', 'é€', '😀']) {
      const bytes = writeSafetensors(file(new Map([[name, tensor('I8', [1], Int8Array.of(9))]])));
      expect([...readSafetensors(bytes).tensors]).toEqual([[name, tensor('I8', [1], Int8Array.of(9))]]);
      expect((bytes.length - 1) % 8).toBe(0);
    }
  });
});

/** A file of a header as it is given, and some bytes. */
function raw(header: unknown, data = 4): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const entry = (change: Record<string, unknown> = {}) => ({ a: { dtype: 'F32', shape: [1], data_offsets: [0, 4], ...change } });

describe('readSafetensors()', () => {
  it('takes the smallest files, from anywhere in a buffer', () => {
    expect(readSafetensors(raw('{}', 0)).tensors.size).toBe(0);
    const shifted = new Uint8Array([1, 2, 3, ...raw(entry())]).subarray(3);
    expect(readSafetensors(shifted).tensors.get('a')).toEqual({ dtype: 'F32', shape: [1], bytes: new Uint8Array(4) });
    expect(readSafetensors(raw({ a: { dtype: 'F32', shape: [0, 3], data_offsets: [4, 4] } })).tensors.get('a')?.bytes).toHaveLength(0);
  });

  it.each<[string, Uint8Array, string | RegExp]>([
    ['nine bytes', new Uint8Array(9), '9 bytes are too few for a safetensors file.'],
    ['a header of a byte too many', raw('{}', 0).with(0, 3), 'the header claims 3 bytes, the file has 10; it is truncated'],
    ['a header of no JSON', raw('{x'), 'safetensors: the header is no JSON.'],
    ['a header of no UTF-8', raw('{"\u00ff":1}').with(10, 0xff), 'safetensors: the header is no JSON.'],
    ['a list for a header', raw('[]'), 'the header is no object.'],
    ['nothing for a header', raw('null'), 'the header is no object.'],
    ['a number for a header', raw('12'), 'the header is no object.'],
    ['metadata that are no strings', raw({ __metadata__: { a: 1 } }), '__metadata__ is to hold strings only.'],
    ['metadata that are none', raw({ __metadata__: null }), '__metadata__ is to hold strings only.'],
    ['metadata that are a text', raw({ __metadata__: 'abc' }), '__metadata__ is to hold strings only.'],
    ['an entry of nothing', raw({ a: null }), 'the entry of tensor "a" is damaged or of an unknown type.'],
    ['an unknown type', raw(entry({ dtype: 'F8' })), 'of an unknown type.'],
    ['a type out of JavaScript', raw(entry({ dtype: 'toString' })), 'of an unknown type.'],
    ['a type that is a number', raw(entry({ dtype: 4 })), 'of an unknown type.'],
    ['a type in a list', raw(entry({ dtype: ['F32'] })), 'of an unknown type.'],
    ['no shape', raw(entry({ shape: 1 })), 'of an unknown type.'],
    ['a side below zero', raw(entry({ shape: [-1] })), 'of an unknown type.'],
    ['half a side', raw(entry({ shape: [0.5] })), 'of an unknown type.'],
    ['no offsets', raw(entry({ data_offsets: 4 })), 'of an unknown type.'],
    ['one offset', raw(entry({ data_offsets: [0] })), 'of an unknown type.'],
    ['three offsets', raw(entry({ data_offsets: [0, 4, 8] })), 'of an unknown type.'],
    ['an offset below zero', raw(entry({ data_offsets: [-4, 0] })), 'of an unknown type.'],
    ['an end before its start', raw(entry({ shape: [0], data_offsets: [4, 3] })), 'claims bytes 4 to 3 of 4; the file is truncated'],
    ['an end behind the file', raw(entry({ data_offsets: [1, 5] })), 'claims bytes 1 to 5 of 4; the file is truncated'],
    ['fewer bytes than the shape has', raw(entry({ shape: [2] })), 'F32 of shape [2], claims bytes 0 to 4 of 4'],
    ['a type that no layer reads', raw(entry({ dtype: 'I64', shape: [], data_offsets: [0, 8] }), 8), 'tensor "a" is I64, which no layer'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message);
    expect(() => readSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'ERR_MODEL_FORMAT' }));
  });

  it('says what was wrong with the header', () => {
    expect(() => readSafetensors(raw('{x'))).toThrow(expect.objectContaining({ cause: expect.any(SyntaxError) }));
  });

  it('leaves counters of batches out', () => {
    const counter = { dtype: 'I64', shape: [], data_offsets: [0, 8] };
    expect(readSafetensors(raw({ 'a.num_batches_tracked': counter }, 8)).tensors.size).toBe(0);
    for (const [dtype, size] of Object.entries({ F64: 8, U8: 1, BOOL: 1, I16: 2, U16: 2, U32: 4, U64: 8 })) {
      const own = { dtype, shape: [1], data_offsets: [0, size] };
      expect(readSafetensors(raw({ 'a.num_batches_tracked': own }, 8)).tensors.size).toBe(0);
    }
  });
});

describe('a tensor of a file', () => {
  it('is read as float32 from every floating-point type', () => {
    expect([...toFloat32('a', ALL.get('floats') as RawTensor)]).toEqual([0.5, -4]);
    expect([...toFloat32('a', ALL.get('halves') as RawTensor)]).toEqual([1, -2]);
    expect([...toFloat32('a', ALL.get('cut') as RawTensor)]).toEqual([3.140625]);
    const shifted = new Uint8Array([9, ...bytesOf(Float32Array.of(2))]).subarray(1);
    expect([...toFloat32('a', { dtype: 'F32', shape: [1], bytes: shifted })]).toEqual([2]);
    expect(() => toFloat32('a', ALL.get('bytes') as RawTensor)).toThrow('tensor "a" is I8; a floating-point type was expected.');
    const nan = tensor('F32', [2], Float32Array.of(1, Number.NaN));
    expect(() => toFloat32('a', nan)).toThrow('tensor "a" holds NaN at 1; weights are to be finite.');
    expect(() => toFloat32('a', tensor('F32', [1], Float32Array.of(Number.NEGATIVE_INFINITY)))).toThrow('holds -Infinity at 0');
  });

  it('is read as integers only where it holds them', () => {
    expect(toInt8('a', ALL.get('bytes') as RawTensor)).toEqual(Int8Array.of(1, -2, 3));
    expect(toInt32('a', ALL.get('whole') as RawTensor)).toEqual(Int32Array.of(-7));
    expect(() => toInt8('a', ALL.get('whole') as RawTensor)).toThrow('tensor "a" is I32; I8 was expected.');
    expect(() => toInt32('a', ALL.get('bytes') as RawTensor)).toThrow('tensor "a" is I8; I32 was expected.');
  });

  it('has the shape that a layer wants', () => {
    expect(expectTensor(file(), 'floats', [1, 2])).toBe(ALL.get('floats'));
    expect(() => expectTensor(file(), 'none', [1])).toThrow('tensor "none" is missing.');
    for (const shape of [[1], [1, 2, 1], [2, 1], [1, 3]])
      expect(() => expectTensor(file(), 'floats', shape)).toThrow(`tensor "floats" has shape [1,2]; [${shape}] was expected.`);
  });

  it('has a layer, or the file is of another network', () => {
    const names = (...all: string[]) => file(new Map(all.map((name) => [name, tensor('I8', [], Int8Array.of(1))])));
    expect(() => refuseExtra(names('a', 'b.num_batches_tracked'), new Set(['a']))).not.toThrow();
    const message = 'the file holds tensors that this network has no place for: ';
    expect(() => refuseExtra(names('a', 'b', 'c', 'd'), new Set(['a']))).toThrow(`${message}b, c, d.`);
    expect(() => refuseExtra(names('a', 'b', 'c', 'd', 'e'), new Set())).toThrow(`${message}a, b, c and 2 more.`);
  });
});

it('knows half floats, the smallest, the largest and those that are none', () => {
  const halves: [number, number][] = [
    [0x0000, 0],
    [0x0001, 2 ** -24],
    [0x83ff, -1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x3c01, 1 + 2 ** -10],
    [0xbc00, -1],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7c01, Number.NaN],
  ];
  for (const [half, value] of halves) expect(halfToFloat(half)).toBe(value);
});

it('finds the first value that is not finite', () => {
  expect(firstNotFinite(Float32Array.of(1, -1e38, 0))).toBe(-1);
  expect(firstNotFinite(Float32Array.of(1, Number.POSITIVE_INFINITY, Number.NaN))).toBe(1);
  expect(firstNotFinite(Float32Array.of(Number.NaN))).toBe(0);
  expect([elements([]), elements([2, 3, 4]), elements([2, 0])]).toEqual([1, 24, 0]);
  expect(DTYPE_BYTES).toEqual({ F32: 4, F16: 2, BF16: 2, I8: 1, I32: 4 });
});
