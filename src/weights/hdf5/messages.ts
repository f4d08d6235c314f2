import { UnsupportedModelError } from '../../errors.js';
import { type Cursor, damaged } from './cursor.js';

// An object's header: messages that say what the object is. HDF5 File Format Specification 3.0, section IV.

export interface Message {
  readonly type: number;
  readonly body: Cursor;
  readonly size: number;
}

export const Type = {
  dataspace: 1,
  linkInfo: 2,
  datatype: 3,
  link: 6,
  layout: 8,
  filters: 11,
  attribute: 12,
  continuation: 16,
  symbols: 17,
  attributeInfo: 21,
};
const MOST_MESSAGES = 20_000;
const MOST_BLOCKS = 1000;
const SHARED = 2;

/** All messages of an object, through its continuations. */
export function messagesOf(file: Cursor, address: number): Message[] {
  const messages: Message[] = [];
  const start = file.to(address);
  const modern = start.bytes[address] === 0x4f; // OHDR
  const blocks: { from: number; size: number; signed: boolean }[] = [];
  let ordered = false;
  if (modern) {
    start.expect('OHDR').skip(1);
    const flags = start.u8();
    ordered = (flags & 4) !== 0;
    start.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0));
    const size = start.number(1 << (flags & 3));
    blocks.push({ from: start.at, size, signed: false });
  } else {
    if (start.u8() !== 1) throw damaged(`no object at byte ${address}`);
    const size = start.skip(7).u32();
    blocks.push({ from: start.skip(4).at, size, signed: false });
  }
  for (let block = blocks.shift(), count = 0; block; block = blocks.shift()) {
    if (++count > MOST_BLOCKS) throw damaged('an object goes on without end');
    const body = file.to(block.from);
    // A later block of a modern header has a signature before and a checksum behind it.
    if (block.signed) body.expect('OCHK');
    const end = block.from + block.size - (block.signed ? 4 : 0);
    const header = modern ? (ordered ? 6 : 4) : 8;
    while (body.at + header <= end) {
      const type = modern ? body.u8() : body.u16();
      const size = body.u16();
      const flags = body.u8();
      body.skip(modern ? (ordered ? 2 : 0) : 3);
      if (body.at + size > end) throw damaged('a message is longer than its object');
      if (flags & SHARED && type !== 0) throw new UnsupportedModelError('hdf5: a shared message; save the model with Keras again.');
      if (type === Type.continuation) {
        const inner = file.to(body.at);
        blocks.push({ from: inner.offset(), size: inner.length(), signed: modern });
      } else messages.push({ type, body: file.to(body.at), size });
      if (messages.length > MOST_MESSAGES) throw damaged('an object has too many messages');
      body.skip(size);
    }
  }
  return messages;
}

export function dataspaceOf(body: Cursor): number[] {
  const version = body.u8();
  const rank = body.u8();
  if (version !== 1 && version !== 2) throw damaged(`a dataspace of version ${version}`);
  if (rank > 8) throw damaged(`a tensor of ${rank} dimensions`);
  body.skip(version === 1 ? 6 : 2);
  return Array.from({ length: rank }, () => body.length());
}

export interface Datatype {
  readonly kind: 'float' | 'integer' | 'string' | 'strings' | 'other';
  /** Bytes of an element. */
  readonly size: number;
  readonly signed: boolean;
}

export function datatypeOf(body: Cursor): Datatype {
  const kind = body.u8() & 15;
  const bits = body.u8();
  const size = body.skip(2).u32();
  const signed = (bits & 8) !== 0;
  if (kind === 0 && !(bits & 1)) return { kind: 'integer', size, signed };
  // Bit 0: the byte order; little-endian is 0.
  if (kind === 1 && !(bits & 1)) return { kind: 'float', size, signed };
  if (kind === 3) return { kind: 'string', size, signed };
  return kind === 9 && (bits & 15) === 1 ? { kind: 'strings', size, signed } : { kind: 'other', size, signed };
}
