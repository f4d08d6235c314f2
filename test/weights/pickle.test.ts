import { readTorch } from '../../src/weights/torch/checkpoint.js';
import { unpickle } from '../../src/weights/torch/pickle.js';
import { readStoredZip } from '../../src/weights/torch/zip.js';
import { storedZip } from './zip-writer.js';

// PyTorch's files, opcode by opcode and byte by byte. Whoever wrote them may have meant ill.

const bytesOf = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
const short = (text: string) => `\x8c${String.fromCharCode(text.length)}${text}`;
/** A dictionary of one entry, which some opcodes make. */
const one = (opcodes: string) => unpickle(bytesOf(`\x80\x02}${short('x')}${opcodes}s.`)).get('x');
const STORAGE = `(${short('storage')}ctorch\nFloatStorage\n${short('7')}${short('cpu')}K\x06tQ`;
const tensorOf = (parts: string) => `ctorch._utils\n_rebuild_tensor_v2\n(${parts}tR`;
const TENSOR = tensorOf(`${STORAGE}K\x02K\x03K\x02\x86K\x02K\x01\x86\x89ccollections\nOrderedDict\n)R`);

describe('the pickle machine', () => {
  it.each<[string, string, unknown]>([
    ['nothing', 'N', undefined],
    ['true', '\x88', true],
    ['false', '\x89', false],
    ['a byte', 'K\xff', 255],
    ['two bytes', 'M\x01\x02', 0x201],
    ['four bytes', 'J\xfe\xff\xff\xff', -2],
    ['a long of no bytes', '\x8a\x00', 0],
    ['a long of a byte', '\x8a\x01\x7f', 127],
    ['a long below zero', '\x8a\x01\x80', -128],
    ['a long of two bytes', '\x8a\x02\xff\x00', 255],
    ['a long of six bytes', '\x8a\x06\x00\x00\x00\x00\x00\x40', 2 ** 46],
    ['a long of six bytes below zero', '\x8a\x06\xff\xff\xff\xff\xff\xff', -1],
    ['a float', 'G\x3f\xf8\x00\x00\x00\x00\x00\x00', 1.5],
    ['a text', 'X\x02\x00\x00\x00\xc3\xa9', 'é'],
    ['a short text', '\x8c\x02ab', 'ab'],
    ['an empty tuple', ')', []],
    ['an empty list', ']', []],
    ['a tuple of one', 'K\x01\x85', [1]],
    ['a tuple of two', 'K\x01K\x02\x86', [1, 2]],
    ['a tuple of three', 'K\x01K\x02K\x03\x87', [1, 2, 3]],
    ['a tuple of many', '(K\x01K\x02K\x03K\x04t', [1, 2, 3, 4]],
    ['a list of one', ']K\x01a', [1]],
    ['a list of many', '](K\x01K\x02e', [1, 2]],
    ['what was remembered', 'K\x05q\x01K\x060h\x010', undefined],
    ['the attributes of an object left out', ']K\x01b', []],
    ['an ordered dictionary', 'ccollections\nOrderedDict\n)R', new Map()],
    ['dictionaries inside', `}(${short('a')}K\x01${short('b')}K\x02u`, new Map(Object.entries({ a: 1, b: 2 }))],
    ['a parameter', `ctorch._utils\n_rebuild_parameter\nK\x09\x89)\x87R`, 9],
  ])('makes %s', (name, opcodes, value) => {
    if (name === 'what was remembered') expect(one('K\x05q\x01K\x060h\x01a'.replace('a', '\x86'))).toEqual([5, 5]);
    else expect(one(opcodes)).toEqual(value);
  });

  it('remembers by a byte and by four', () => {
    expect(one('K\x05q\x010K\x06r\x01\x01\x00\x000h\x01j\x01\x01\x00\x00\x86')).toEqual([5, 6]);
  });

  it('makes tensors of storages', () => {
    expect(one(TENSOR)).toEqual({ kind: 'tensor', storage: { type: 'FloatStorage', key: '7' }, offset: 2, shape: [3, 2], strides: [2, 1] });
  });

  it('gives the entries whose keys are strings', () => {
    const entries = unpickle(bytesOf(`}(K\x01K\x02${short('a')}}K\x03K\x04su.`));
    expect([...entries]).toEqual([['a', new Map()]]);
  });

  const damaged = 'the file is damaged, or holds more than tensors.';
  it.each<[string, string, string]>([
    ['nothing', '', `pickle: 1 bytes are missing at byte 0; ${damaged}`],
    ['no end', 'K', '1 bytes are missing at byte 1'],
    ['half a number', 'M\x01', '2 bytes are missing at byte 1'],
    ['half a long number', 'J\x01\x02\x03', '4 bytes are missing'],
    ['half a float', 'G\x01\x02\x03', '8 bytes are missing'],
    ['a text longer than the file', 'X\x04\x00\x00\x00abc', '4 bytes are missing'],
    ['a line without an end', 'ctorch', 'a line has no end'],
    ['a long integer', '\x8a\x07\x01\x01\x01\x01\x01\x01\x01.', 'an integer of 7 bytes'],
    ['a tuple of nothing', '\x85', 'the stack is empty'],
    ['a tuple without a mark', 'K\x01t', 'no mark'],
    ['a memory of nothing', 'q\x01', 'the stack is empty'],
    ['what nobody remembered', 'h\x02', 'nothing is remembered as 2'],
    ['what nobody remembered, by four bytes', 'j\x02\x00\x00\x00', 'nothing is remembered as 2'],
    ['an entry of a list', ']K\x01K\x02s', 'items for what is no dictionary'],
    ['a key without a value', '}(K\x01u', 'items for what is no dictionary'],
    ['an append to a dictionary', '}K\x01a', 'an append to what is no list'],
    ['several appends to a number', 'K\x01(K\x01e', 'an append to what is no list'],
    ['a storage that is none', `(${short('persist')}ctorch\nFloatStorage\n${short('7')}tQ`, 'a reference to no storage'],
    ['a storage of a name', `(${short('storage')}${short('torch.FloatStorage')}${short('7')}tQ`, 'a reference to no storage'],
    ['a storage of a function', `(${short('storage')}ccollections\nOrderedDict\n${short('7')}tQ`, 'a reference to no storage'],
    ['a storage of a number', `(${short('storage')}ctorch\nFloatStorage\nK\x07tQ`, 'a reference to no storage'],
    ['a storage that is a number', 'K\x01Q', 'a reference to no storage'],
    ['a call of a number', 'K\x01)R', 'a call of what is no function'],
    ['a call with a number', 'ccollections\nOrderedDict\nK\x01R', 'a call of what is no function'],
    ['a dictionary of arguments', 'ccollections\nOrderedDict\nK\x01\x85R', 'a call of collections.OrderedDict'],
    ['a call of a storage', 'ctorch\nFloatStorage\n)R', 'a call of torch.FloatStorage'],
    ['a tensor of no storage', tensorOf('K\x01K\x02K\x03\x85K\x01\x85'), 'a tensor of no shape'],
    ['a tensor without an offset', tensorOf(`${STORAGE}NK\x03\x85K\x01\x85`), 'a tensor of no shape'],
    ['a tensor below its storage', tensorOf(`${STORAGE}J\xff\xff\xff\xffK\x03\x85K\x01\x85`), 'a tensor of no shape'],
    ['a tensor of a number', tensorOf(`${STORAGE}K\x00K\x03K\x01\x85`), 'a tensor of no shape'],
    ['a tensor of truth', tensorOf(`${STORAGE}K\x00\x88\x85K\x01\x85`), 'a tensor of no shape'],
    ['a tensor of no strides', tensorOf(`${STORAGE}K\x00K\x03\x85N`), 'a tensor of no shape'],
    ['an opcode of no data', 'i', 'opcode 0x69 at byte 1'],
    ['a number', 'K\x01.', 'pickle: the file holds no dictionary of tensors.'],
    ['a global of another module', 'ctorch\nload\n', 'pickle: the file asks for torch.load; only tensors and dictionaries are built.'],
    ['a storage by half its name', 'ctorch\nFloatStorageX\n', 'the file asks for torch.FloatStorageX;'],
    ['a storage in another module', 'cxtorch\nFloatStorage\n', 'the file asks for xtorch.FloatStorage;'],
  ])('refuses %s', (_, opcodes, message) => {
    expect(() => unpickle(bytesOf(opcodes))).toThrow(message);
    expect(() => unpickle(bytesOf(opcodes))).toThrow(expect.objectContaining({ code: 'ERR_MODEL_FORMAT' }));
  });
});

const text = (value: string) => new TextEncoder().encode(value);
const whole = (file: Uint8Array) => Object.fromEntries([...readStoredZip(file)].map(([name, bytes]) => [name, [...bytes]]));

describe('a zip archive', () => {
  const plain = storedZip({ a: Uint8Array.of(1, 2, 3), b: Uint8Array.of(4) });
  const at = (signature: string, nth = 0) => {
    let found = -1;
    for (let i = 0; i <= nth; i++) found = Buffer.from(plain).indexOf(signature, found + 1, 'latin1');
    return found;
  };
  const changed = (place: number, ...values: number[]) => {
    const bytes = plain.slice();
    bytes.set(values, place);
    return bytes;
  };
  const [LOCAL, CENTRAL, END] = ['PK\x03\x04', 'PK\x01\x02', 'PK\x05\x06'];

  it('holds entries as they are, wherever it lies', () => {
    expect(whole(plain)).toEqual({ a: [1, 2, 3], b: [4] });
    expect(whole(new Uint8Array([7, ...plain]).subarray(1))).toEqual({ a: [1, 2, 3], b: [4] });
    expect(whole(storedZip({ 'a/b': Uint8Array.of(), c: Uint8Array.of(4) }))).toEqual({ 'a/b': [], c: [4] });
  });

  it('may end with a comment, and have extra fields', () => {
    expect(whole(new Uint8Array([...plain, ...new Array(0xffff).fill(32)]))).toEqual({ a: [1, 2, 3], b: [4] });
    expect(() => whole(new Uint8Array([...plain, ...new Array(0x10000).fill(32)]))).toThrow('zip: no directory at its end');
    // Of an entry, torch.save aligns the bytes by an extra field; of the directory, the name is followed by one and a comment.
    const start = at(CENTRAL);
    const bytes = new Uint8Array([...plain.subarray(0, start + 47), 9, 9, 9, ...plain.subarray(start + 47)]);
    bytes[start + 30] = 1;
    bytes[start + 32] = 2;
    expect(whole(bytes)).toEqual({ a: [1, 2, 3], b: [4] });
    const padded = new Uint8Array([...plain.subarray(0, 31), 0, 0, ...plain.subarray(31)]);
    padded[28] = 2;
    const end = padded.length - 22;
    padded[end + 16] = (padded[end + 16] as number) + 2;
    const second = Buffer.from(padded).lastIndexOf(CENTRAL as string, undefined, 'latin1');
    padded[second + 42] = (padded[second + 42] as number) + 2;
    expect(whole(padded)).toEqual({ a: [1, 2, 3], b: [4] });
  });

  it.each<[string, () => Uint8Array, string]>([
    ['is empty', () => new Uint8Array(), 'zip: no directory at its end; the file is truncated or damaged.'],
    ['is shorter than its end', () => plain.subarray(plain.length - 21), 'no directory at its end'],
    ['has no directory', () => changed(at(END as string), 0), 'no directory at its end'],
    ['has no entry where it says', () => changed(at(CENTRAL as string, 1), 0), 'zip: entry 1 of its directory is none'],
    ['lies behind its end', () => changed(at(END as string) + 16, 255, 255, 255, 127), 'zip: no byte 2147483647'],
    ['is compressed', () => changed(at(CENTRAL as string) + 10, 8), 'zip: "a" is compressed; entries are expected as they are'],
    ['has an entry of another size', () => changed(at(CENTRAL as string) + 20, 2), 'zip: "a" is compressed'],
    ['points to no entry', () => changed(at(CENTRAL as string, 1) + 42, 1), 'zip: "b" points to no entry'],
    ['points behind its end', () => changed(at(CENTRAL as string) + 42, 255, 255), 'zip: no byte 65535'],
    [
      'claims too much',
      () => changed(at(CENTRAL as string, 1) + 20, 0, 1, 0, 0, 0, 1),
      `zip: "b" claims 256 bytes from ${at(LOCAL as string, 1) + 31} of ${plain.length}`,
    ],
  ])('that %s is refused', (_, bytes, message) => {
    expect(() => readStoredZip(bytes())).toThrow(message);
  });

  it('may claim all bytes there are', () => {
    const left = plain.length - at(LOCAL as string, 1) - 31;
    expect(whole(changed(at(CENTRAL as string, 1) + 20, left, 0, 0, 0, left))['b']).toHaveLength(left);
  });
});

describe('a checkpoint', () => {
  const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  /** A tensor of a storage of 32-bit floats, but for what is said. */
  const pickled = (name: string, shape: number[], strides: number[], offset = 0, type = 'Float', key = '0') => {
    const list = (values: number[]) => `(${values.map((value) => `K${String.fromCharCode(value)}`).join('')}t`;
    const storage = `(${short('storage')}ctorch\n${type}Storage\n${short(key)}${short('cpu')}K\x06tQ`;
    const offsetOf = `K${String.fromCharCode(offset)}`;
    return `${short(name)}${tensorOf(`${storage}${offsetOf}${list(shape)}${list(strides)}\x89)`)}`;
  };
  const checkpoint = (items: string, storages: Record<string, Uint8Array> = { 'x/data/0': floats(1, 2, 3, 4, 5, 6) }) =>
    readTorch(storedZip({ 'x/data.pkl': bytesOf(`}(${items}u.`), ...storages }));
  const valuesOf = (file: ReturnType<typeof readTorch>, name: string) => {
    const { shape, bytes, dtype } = file.tensors.get(name) as NonNullable<ReturnType<typeof file.tensors.get>>;
    return { shape, dtype, values: [...new Float32Array(new Uint8Array(bytes).buffer)] };
  };

  it('has tensors, which lie somewhere in their storages', () => {
    const file = checkpoint(`${pickled('a', [3, 2], [2, 1])}${pickled('module.b', [2], [1], 4)}${pickled('c', [], [], 1)}`);
    expect([...file.tensors.keys()]).toEqual(['a', 'b', 'c']);
    expect(file.metadata).toEqual({});
    expect(valuesOf(file, 'a')).toEqual({ shape: [3, 2], dtype: 'F32', values: [1, 2, 3, 4, 5, 6] });
    expect(valuesOf(file, 'b')).toEqual({ shape: [2], dtype: 'F32', values: [5, 6] });
    expect(valuesOf(file, 'c')).toEqual({ shape: [], dtype: 'F32', values: [2] });
    // A side of 1 may have any stride.
    expect(valuesOf(checkpoint(pickled('a', [2, 1, 3], [3, 9, 1])), 'a').values).toHaveLength(6);
    expect(checkpoint(pickled('a.module.b', [1], [1])).tensors.has('a.module.b')).toBe(true);
  });

  it('has half floats of both kinds', () => {
    for (const [type, dtype] of [
      ['Half', 'F16'],
      ['BFloat16', 'BF16'],
    ] as const) {
      const file = checkpoint(pickled('a', [2], [1], 1, type), { 'x/data/0': Uint8Array.of(1, 2, 3, 4, 5, 6) });
      expect(file.tensors.get('a')).toEqual({ dtype, shape: [2], bytes: Uint8Array.of(3, 4, 5, 6) });
    }
  });

  it('may lie among other things, of which nothing is read', () => {
    for (const name of ['state_dict', 'model', 'model_state_dict', 'state_dict_ema', 'model_ema']) {
      const file = checkpoint(`${short('epoch')}K\x07${short(name)}}(${pickled('a', [1], [1])}u`);
      expect([...file.tensors.keys()]).toEqual(['a']);
    }
    const counted = `${pickled('a.num_batches_tracked', [], [], 0, 'Long')}${short('version')}K\x01${pickled('b', [1], [1])}`;
    expect([...checkpoint(counted).tensors.keys()]).toEqual(['b']);
    expect([...checkpoint(`${short('model')}K\x01${pickled('b', [1], [1])}`).tensors.keys()]).toEqual(['b']);
  });

  it.each<[string, string, string]>([
    ['of whole numbers', pickled('a', [1], [1], 0, 'Long'), 'tensor "a" is of LongStorage, which no layer here reads.'],
    ['without its storage', pickled('a', [1], [1], 0, 'Float', '1'), 'the storage of tensor "a" is missing.'],
    ['that is turned', pickled('a', [3, 2], [1, 3]), 'tensor "a" is not contiguous; save it with .contiguous().'],
    ['with gaps', pickled('a', [3], [2]), 'tensor "a" is not contiguous'],
    ['longer than its storage', pickled('a', [7], [1]), 'tensor "a" of shape [7] claims more than its storage of 24 bytes'],
    ['behind its storage', pickled('a', [5], [1], 2), 'tensor "a" of shape [5] claims more'],
  ])('with a tensor %s is refused', (_, items, message) => {
    expect(() => checkpoint(items)).toThrow(message);
  });

  it('has a data.pkl in a folder', () => {
    expect(() => readTorch(storedZip({ 'data.pkl': text('}.') }))).toThrow(
      'the zip archive holds no data.pkl; it is no PyTorch checkpoint.',
    );
    expect(readTorch(storedZip({ 'a/other': text(''), 'b/data.pkl': text('}.') })).tensors.size).toBe(0);
  });
});
