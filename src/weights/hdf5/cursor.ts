import { ModelFormatError } from '../../errors.js';

export const damaged = (what: string): ModelFormatError => new ModelFormatError(`hdf5: ${what}; the file is truncated or damaged.`);

/** A place in the file that moves on as it is read; nothing outside of the file is ever read. */
export class Cursor {
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    /** Bytes that an address and a length have here. */
    readonly sizes: { readonly offset: number; readonly length: number } = { offset: 8, length: 8 },
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  to(at: number): Cursor {
    return new Cursor(this.bytes, at, this.sizes);
  }

  private take(count: number): number {
    const start = this.at;
    if (!(start >= 0 && start + count <= this.bytes.length)) throw damaged(`byte ${start + count} of ${this.bytes.length} is asked for`);
    this.at += count;
    return start;
  }

  u8 = () => this.view.getUint8(this.take(1));
  u16 = () => this.view.getUint16(this.take(2), true);
  u32 = () => this.view.getUint32(this.take(4), true);

  /** An unsigned number of any width up to 8 bytes. */
  number(width: number): number {
    const start = this.take(width);
    let value = 0;
    for (let i = width - 1; i >= 0; i--) value = value * 256 + this.view.getUint8(start + i);
    return value;
  }

  offset = () => this.number(this.sizes.offset);
  length = () => this.number(this.sizes.length);

  skip(count: number): this {
    this.take(count);
    return this;
  }

  slice(count: number): Uint8Array {
    const start = this.take(count);
    return this.bytes.subarray(start, start + count);
  }

  text(count: number): string {
    return new TextDecoder().decode(this.slice(count));
  }

  /** Up to the next zero. */
  word(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0 || end - this.at > 65_536) throw damaged('a name has no end');
    return this.text(end - this.at);
  }

  expect(signature: string): this {
    const found = this.text(signature.length);
    if (found !== signature) throw damaged(`"${signature}" was expected at byte ${this.at - signature.length}`);
    return this;
  }
}
