import { UnsupportedModelError } from '../../errors.js';
import { elements, toFloat32 } from '../tensors.js';
import { Cursor, damaged } from './cursor.js';
import { type Datatype, dataspaceOf, datatypeOf, type Message, messagesOf, Type } from './messages.js';

/*
 * As much of HDF5 as Keras writes: groups by symbol tables or by links in their header, tensors in one piece, in chunks or in the
 * header, attributes of strings. Sections are those of the HDF5 File Format Specification 3.0.
 */

export interface Dataset {
  readonly shape: readonly number[];
  values(): Float32Array;
}

/** A group; its members are read when they are asked for. */
export interface Group {
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  readonly members: ReadonlyMap<string, Group | Dataset>;
}

export const isGroup = (member: Group | Dataset | undefined): member is Group => member !== undefined && 'members' in member;

const UNDEFINED = 2 ** 64;
const MOST_OBJECTS = 50_000;
const DEEPEST = 40;
const RESAVE = 'save the model with Keras again, uncompressed, or run: mobilenet-v3 convert';

/** @throws ModelFormatError for a damaged file, UnsupportedModelError for parts of HDF5 that Keras does not write */
export function readHdf5(bytes: Uint8Array): Group {
  const start = new Cursor(bytes, 8);
  const version = start.u8();
  let root: number;
  let file: Cursor;
  if (version <= 1) {
    const sizes = { offset: start.skip(4).u8(), length: start.u8() };
    file = sized(bytes, sizes, start.skip(9 + (version === 1 ? 4 : 0)).at);
    root = file.skip(5 * sizes.offset).offset();
  } else if (version <= 3) {
    const sizes = { offset: start.u8(), length: start.u8() };
    file = sized(bytes, sizes, start.skip(1).at);
    root = file.skip(3 * sizes.offset).offset();
  } else throw new UnsupportedModelError(`hdf5: a file of version ${version}; ${RESAVE}.`);
  return new Reader(file).group(root, []);
}

function sized(bytes: Uint8Array, sizes: { offset: number; length: number }, at: number): Cursor {
  if (![sizes.offset, sizes.length].every((size) => size === 4 || size === 8)) throw damaged(`addresses of ${sizes.offset} bytes`);
  return new Cursor(bytes, at, sizes);
}

class Reader {
  private objects = 0;

  constructor(private readonly file: Cursor) {}

  group(address: number, above: readonly number[]): Group {
    if (above.includes(address) || above.length > DEEPEST) throw damaged('a group lies inside itself');
    const messages = this.messages(address);
    const attributes = new Map(messages.filter(({ type }) => type === Type.attribute).flatMap(({ body }) => this.attribute(body)));
    const members = new Map<string, Group | Dataset>();
    for (const [name, place] of this.links(messages)) members.set(name, this.member(name, place, [...above, address]));
    return { attributes, members };
  }

  private messages(address: number): Message[] {
    const messages = messagesOf(this.file, address);
    this.objects += 1 + messages.length;
    if (this.objects > MOST_OBJECTS) throw damaged('there are too many objects');
    return messages;
  }

  private member(name: string, address: number, above: readonly number[]): Group | Dataset {
    const messages = this.messages(address);
    const space = messages.find(({ type }) => type === Type.dataspace);
    const datatype = messages.find(({ type }) => type === Type.datatype);
    if (!space || !datatype) return this.group(address, above);
    const shape = dataspaceOf(space.body);
    return { shape, values: () => this.values(name, shape, datatypeOf(datatype.body), messages) };
  }

  // --- groups: sections III.A to III.D, IV.A.2.g

  private links(messages: readonly Message[]): [string, number][] {
    const found: [string, number][] = [];
    for (const { type, body } of messages) {
      if (type === Type.symbols) {
        const tree = body.offset();
        const heap = this.file.to(body.offset()).expect('HEAP').skip(4);
        heap.skip(2 * this.file.sizes.length);
        this.symbols(tree, heap.offset(), found, 0);
      } else if (type === Type.link) found.push(...this.link(body));
      else if (type === Type.linkInfo) {
        const flags = body.skip(1).u8();
        if (body.skip(flags & 1 ? 8 : 0).offset() < UNDEFINED - 1e6)
          throw new UnsupportedModelError(`hdf5: a group of a newer kind; ${RESAVE}.`);
      }
    }
    return found;
  }

  private symbols(tree: number, names: number, found: [string, number][], depth: number): void {
    if (depth > DEEPEST || found.length > MOST_OBJECTS) throw damaged('a table of names goes on without end');
    const node = this.file.to(tree);
    if (node.bytes[tree] === 0x53 /* SNOD */) {
      const count = node.expect('SNOD').skip(2).u16();
      for (let i = 0; i < count; i++) {
        const name = this.file.to(names + node.offset()).word();
        found.push([name, node.offset()]);
        node.skip(24);
      }
      return;
    }
    const count = node.expect('TREE').skip(2).u16();
    node.skip(2 * this.file.sizes.offset);
    for (let i = 0; i < count; i++) this.symbols(node.skip(this.file.sizes.length).offset(), names, found, depth + 1);
  }

  private link(body: Cursor): [string, number][] {
    const flags = body.skip(1).u8();
    const kind = flags & 8 ? body.u8() : 0;
    body.skip((flags & 4 ? 8 : 0) + (flags & 16 ? 1 : 0));
    const name = body.text(body.number(1 << (flags & 3)));
    return kind === 0 ? [[name, body.offset()]] : [];
  }

  // --- attributes of strings: sections IV.A.2.m, III.E

  private attribute(body: Cursor): [string, readonly string[]][] {
    const version = body.u8();
    const [nameSize, typeSize, spaceSize] = [body.skip(1).u16(), body.u16(), body.u16()];
    const padded = (size: number) => (version === 1 ? Math.ceil(size / 8) * 8 : size);
    if (version === 3) body.skip(1);
    const start = body.at;
    const name = body.text(nameSize).replace(/\0.*$/s, '');
    const type = datatypeOf(body.to(start + padded(nameSize)));
    const space = start + padded(nameSize) + padded(typeSize);
    const count = elements(dataspaceOf(body.to(space)));
    const data = body.to(space + padded(spaceSize));
    if (type.kind === 'string' && count * type.size <= this.file.bytes.length) {
      return [[name, Array.from({ length: count }, () => data.text(type.size).replace(/\0.*$/s, ''))]];
    }
    if (type.kind !== 'strings' || count > this.file.bytes.length / type.size) return [];
    return [[name, Array.from({ length: count }, () => this.heapText(data))]];
  }

  private heapText(data: Cursor): string {
    const [size, address, wanted] = [data.u32(), data.offset(), data.u32()];
    const heap = this.file.to(address).expect('GCOL').skip(4);
    const end = address + heap.length();
    while (heap.at < end) {
      const index = heap.u16();
      const length = heap.skip(6).length();
      if (index === wanted) return heap.text(Math.min(size, length));
      if (index === 0) break;
      heap.skip(Math.ceil(length / 8) * 8);
    }
    throw damaged('a string is not where it is said to be');
  }

  // --- tensors: section IV.A.2.i

  private values(name: string, shape: readonly number[], type: Datatype, messages: readonly Message[]): Float32Array {
    const bytes = this.raw(shape, type, messages);
    if (type.kind === 'float' && type.size === 4) return toFloat32(name, { dtype: 'F32', shape, bytes });
    if (type.kind === 'float' && type.size === 2) return toFloat32(name, { dtype: 'F16', shape, bytes });
    if (type.kind === 'float' && type.size === 8) return Float32Array.from(new Float64Array(new Uint8Array(bytes).buffer));
    throw new UnsupportedModelError('hdf5: a tensor of other numbers than float16, float32 and float64.');
  }

  private raw(shape: readonly number[], { size }: Datatype, messages: readonly Message[]): Uint8Array {
    const total = elements(shape) * size;
    const layout = messages.find(({ type }) => type === Type.layout)?.body;
    if (!layout) throw damaged('a tensor has no place');
    // Nothing is unpacked: a tensor is never larger than the file.
    if (!(total <= this.file.bytes.length)) throw damaged(`a tensor of ${total} bytes in a file of ${this.file.bytes.length}`);
    const version = layout.u8();
    const kind = layout.u8();
    if (version !== 3 && !(version === 4 && kind < 2))
      throw new UnsupportedModelError(`hdf5: a tensor's layout of version ${version}; ${RESAVE}.`);
    if (kind === 0) return layout.skip(2).slice(total);
    if (kind === 1) return this.file.to(layout.offset()).slice(total);
    const filters = messages.find(({ type }) => type === Type.filters)?.body;
    if (filters && filters.skip(1).u8() > 0) throw new UnsupportedModelError(`hdf5: a compressed tensor; ${RESAVE}.`);
    const dimensions = layout.u8();
    const tree = layout.offset();
    const chunk = Array.from({ length: Math.min(dimensions, 9) }, () => layout.u32());
    if (dimensions !== shape.length + 1 || chunk.some((side) => side < 1)) throw damaged('chunks of another shape than their tensor');
    const result = new Uint8Array(total);
    this.chunks(tree, shape, chunk, size, result, { left: MOST_OBJECTS });
    return result;
  }

  private chunks(
    tree: number,
    shape: readonly number[],
    chunk: readonly number[],
    size: number,
    result: Uint8Array,
    budget: { left: number },
    depth = 0,
  ): void {
    const node = this.file.to(tree).expect('TREE').skip(1);
    const level = node.u8();
    const count = node.u16();
    node.skip(2 * this.file.sizes.offset);
    for (let i = 0; i < count; i++) {
      if (depth > DEEPEST || --budget.left < 0) throw damaged('chunks go on without end');
      const bytes = node.u32();
      node.skip(4);
      const from = Array.from({ length: shape.length + 1 }, () => node.number(8));
      const child = node.offset();
      if (level > 0) this.chunks(child, shape, chunk, size, result, budget, depth + 1);
      else place(this.file.to(child).slice(bytes), from, shape, chunk, size, result);
    }
  }
}

/** A chunk's rows into the tensor that it is a part of; what reaches over its edges is left out. */
function place(
  data: Uint8Array,
  from: readonly number[],
  shape: readonly number[],
  chunk: readonly number[],
  size: number,
  result: Uint8Array,
): void {
  const rank = shape.length;
  const rows = elements(chunk.slice(0, Math.max(0, rank - 1)));
  const width = rank === 0 ? 1 : (chunk[rank - 1] as number);
  if (!(rows * width * size <= data.length)) throw damaged('a chunk is cut off');
  const first = rank === 0 ? 0 : (from[rank - 1] as number);
  const length = Math.min(width, (shape[rank - 1] ?? 1) - first) * size;
  for (let row = 0; row < rows && length > 0; row++) {
    let rest = row;
    let at = 0;
    let step = shape[rank - 1] ?? 1;
    let inside = true;
    for (let d = rank - 2; d >= 0; d--) {
      const index = (from[d] as number) + (rest % (chunk[d] as number));
      rest = Math.floor(rest / (chunk[d] as number));
      inside &&= index < (shape[d] as number);
      at += index * step;
      step *= shape[d] as number;
    }
    if (inside) result.set(data.subarray(row * width * size, row * width * size + length), (at + first) * size);
  }
}
