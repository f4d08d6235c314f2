import * as h5wasm from 'h5wasm';
import { type Dataset, type Group, isGroup, readHdf5 } from '../../src/weights/hdf5/file.js';

// Files that HDF5's own library (h5wasm) writes, in its oldest format and in its newest, and what is left of them once damaged.

const VERSIONS = { oldest: ['earliest', 'v108'], newest: ['v110', 'v110'] } as const;

async function written(version: keyof typeof VERSIONS, fill: (file: h5wasm.File) => void): Promise<Uint8Array> {
  const { FS } = await h5wasm.ready;
  const file = new h5wasm.File('written.h5', 'w', { libver: [...VERSIONS[version]] } as never);
  fill(file);
  file.close();
  const bytes = FS.readFile('written.h5') as Uint8Array;
  FS.unlink('written.h5');
  return bytes;
}

const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => i + 1);
function fill(file: h5wasm.File): void {
  file.create_attribute('names', ['conv', 'batch normalization', '']);
  file.create_attribute('one', 'a longer text than the others');
  file.create_attribute('number', 3);
  const outer = file.create_group('outer');
  outer.create_attribute('inside', ['x']);
  const inner = outer.create_group('inner');
  inner.create_dataset({ name: 'whole', data: ramp(6), shape: [2, 3], dtype: '<f' });
  inner.create_dataset({ name: 'double', data: Float64Array.of(0.5, -2), shape: [2], dtype: '<d' });
  inner.create_dataset({ name: 'integers', data: Int32Array.of(1, 2), shape: [2], dtype: '<i' });
  file.create_dataset({ name: 'chunked', data: ramp(35), shape: [5, 7], dtype: '<f', chunks: [2, 3] });
  file.create_dataset({ name: 'cube', data: ramp(60), shape: [3, 4, 5], dtype: '<f', chunks: [2, 2, 2] });
  file.create_dataset({ name: 'row', data: ramp(10), shape: [10], dtype: '<f', chunks: [4] });
  for (let i = 0; i < 40; i++) file.create_group(`many ${i}`);
}

const at = (group: Group, ...path: readonly string[]): Group | Dataset =>
  path.reduce<Group | Dataset>((found, name) => (found as Group).members.get(name) as Group | Dataset, group);
const valuesOf = (group: Group, ...path: readonly string[]) => [...(at(group, ...path) as Dataset).values()];

let oldest: Uint8Array;
beforeAll(async () => {
  oldest = await written('oldest', fill);
});

it('reads groups, attributes of texts, and tensors in one piece and in chunks', () => {
  for (const bytes of [oldest, new Uint8Array([1, 2, 3, ...oldest]).subarray(3)]) {
    const root = readHdf5(bytes);
    expect([...root.attributes]).toEqual([
      ['names', ['conv', 'batch normalization', '']],
      ['one', ['a longer text than the others']],
    ]);
    expect((at(root, 'outer') as Group).attributes.get('inside')).toEqual(['x']);
    expect(isGroup(at(root, 'outer', 'inner'))).toBe(true);
    expect(isGroup(at(root, 'chunked'))).toBe(false);
    expect(isGroup(undefined)).toBe(false);
    expect((at(root, 'outer', 'inner', 'whole') as Dataset).shape).toEqual([2, 3]);
    expect(valuesOf(root, 'outer', 'inner', 'whole')).toEqual([1, 2, 3, 4, 5, 6]);
    expect(valuesOf(root, 'outer', 'inner', 'double')).toEqual([0.5, -2]);
    expect(valuesOf(root, 'chunked')).toEqual([...ramp(35)]);
    expect(valuesOf(root, 'cube')).toEqual([...ramp(60)]);
    expect(valuesOf(root, 'row')).toEqual([...ramp(10)]);
    expect([...root.members.keys()].filter((name) => name.startsWith('many'))).toHaveLength(40);
    expect(() => valuesOf(root, 'outer', 'inner', 'integers')).toThrow(
      'hdf5: a tensor of other numbers than float16, float32 and float64.',
    );
  }
});

it('reads what the newest library writes, as far as Keras could have written it', async () => {
  const root = readHdf5(
    await written('newest', (file) => {
      file.create_attribute('names', ['a', 'b']);
      file.create_group('g').create_dataset({ name: 'x', data: ramp(4), shape: [4], dtype: '<f' });
    }),
  );
  expect(root.attributes.get('names')).toEqual(['a', 'b']);
  expect(valuesOf(root, 'g', 'x')).toEqual([1, 2, 3, 4]);
});

it('refuses compressed tensors', async () => {
  const compressed = readHdf5(
    await written('oldest', (file) => {
      file.create_dataset({ name: 'x', data: ramp(64), shape: [64], dtype: '<f', chunks: [16], compression: 4 });
    }),
  );
  expect(() => valuesOf(compressed, 'x')).toThrow('hdf5: a compressed tensor; save the model with Keras again, uncompressed, or run:');
});

it('never reads beyond the file, and says that it is damaged', () => {
  const walk = (group: Group): void => {
    for (const member of group.members.values()) {
      if (isGroup(member)) walk(member);
      else member.values();
    }
  };
  const errors = new Set<string>();
  const settles = (bytes: Uint8Array) => {
    try {
      walk(readHdf5(bytes));
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(MODEL_FORMAT|UNSUPPORTED_MODEL)$/) });
      errors.add((error as Error).message.replace(/\d+/g, '#'));
    }
  };
  for (let length = 0; length < oldest.length; length += 397) settles(oldest.subarray(0, length));
  for (const signature of ['HEAP', 'TREE', 'SNOD', 'GCOL']) {
    const bytes = oldest.slice();
    for (let i = Buffer.from(bytes).indexOf(signature); i >= 0; i = Buffer.from(bytes).indexOf(signature)) bytes[i] = 0;
    settles(bytes);
  }
  for (const part of ['"HEAP" was expected', '"TREE" was expected', '"GCOL" was expected', 'is asked for'])
    expect([...errors].some((message) => message.includes(part))).toBe(true);
});

it('knows versions and sizes of addresses', () => {
  const changed = (place: number, value: number) => () => readHdf5(oldest.with(place, value));
  expect(changed(8, 4)).toThrow('hdf5: a file of version 4; save the model with Keras again');
  expect(changed(13, 3)).toThrow('hdf5: addresses of 3 bytes; the file is truncated or damaged.');
  expect(changed(14, 9)).toThrow('hdf5: addresses of 8 bytes');
});
