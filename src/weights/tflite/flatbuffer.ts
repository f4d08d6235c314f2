import { ModelFormatError } from '../../errors.js';

/**
 * A bounds-checked view of FlatBuffers tables: just what reading a .tflite takes. Offsets in a hostile file may point
 * anywhere, so every read is checked against the file's length, and a vector's claimed length against what is left.
 */
export class FlatBuffer {
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  root(): Table {
    return new Table(this, this.follow(0));
  }

  check(at: number, size: number): number {
    if (at < 0 || at + size > this.bytes.length) {
      throw new ModelFormatError(`tflite: the file points to byte ${at + size} of ${this.bytes.length}; it is truncated or damaged.`);
    }
    return at;
  }

  u8 = (at: number) => this.view.getUint8(this.check(at, 1));
  i8 = (at: number) => this.view.getInt8(this.check(at, 1));
  u16 = (at: number) => this.view.getUint16(this.check(at, 2), true);
  i32 = (at: number) => this.view.getInt32(this.check(at, 4), true);
  u32 = (at: number) => this.view.getUint32(this.check(at, 4), true);
  f32 = (at: number) => this.view.getFloat32(this.check(at, 4), true);
  i64 = (at: number) => Number(this.view.getBigInt64(this.check(at, 8), true));

  follow(at: number): number {
    return at + this.u32(at);
  }

  slice(at: number, size: number): Uint8Array {
    this.check(at, size);
    return this.bytes.subarray(at, at + size);
  }
}

/** One table: fields by their number in the schema. */
export class Table {
  private readonly vtable: number;
  private readonly vtableSize: number;

  constructor(
    private readonly buffer: FlatBuffer,
    private readonly at: number,
  ) {
    this.vtable = at - buffer.i32(at);
    this.vtableSize = buffer.u16(this.vtable);
  }

  private field(number: number): number {
    const slot = 4 + 2 * number;
    if (slot + 2 > this.vtableSize) return 0;
    const offset = this.buffer.u16(this.vtable + slot);
    return offset === 0 ? 0 : this.at + offset;
  }

  private scalar(number: number, read: (at: number) => number, otherwise: number): number {
    const at = this.field(number);
    return at === 0 ? otherwise : read(at);
  }

  u8 = (number: number, otherwise = 0) => this.scalar(number, this.buffer.u8, otherwise);
  i8 = (number: number, otherwise = 0) => this.scalar(number, this.buffer.i8, otherwise);
  i32 = (number: number, otherwise = 0) => this.scalar(number, this.buffer.i32, otherwise);
  u32 = (number: number, otherwise = 0) => this.scalar(number, this.buffer.u32, otherwise);

  table(number: number): Table | undefined {
    const at = this.field(number);
    return at === 0 ? undefined : new Table(this.buffer, this.buffer.follow(at));
  }

  string(number: number): string {
    return new TextDecoder().decode(this.bytes(number));
  }

  bytes(number: number): Uint8Array {
    const { start, length } = this.vector(number, 1);
    return this.buffer.slice(start, length);
  }

  tables(number: number): Table[] {
    const { start, length } = this.vector(number, 4);
    return Array.from({ length }, (_, i) => new Table(this.buffer, this.buffer.follow(start + 4 * i)));
  }

  i32s(number: number): number[] {
    return this.values(number, 4, this.buffer.i32);
  }

  f32s(number: number): number[] {
    return this.values(number, 4, this.buffer.f32);
  }

  i64s(number: number): number[] {
    return this.values(number, 8, this.buffer.i64);
  }

  private values(number: number, size: number, read: (at: number) => number): number[] {
    const { start, length } = this.vector(number, size);
    return Array.from({ length }, (_, i) => read(start + size * i));
  }

  private vector(number: number, size: number): { start: number; length: number } {
    const at = this.field(number);
    if (at === 0) return { start: 0, length: 0 };
    const start = this.buffer.follow(at);
    const length = this.buffer.u32(start);
    this.buffer.check(start + 4, length * size);
    return { start: start + 4, length };
  }
}
