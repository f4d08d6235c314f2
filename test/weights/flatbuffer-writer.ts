import { Builder, type Offset } from 'flatbuffers';

// FlatBuffers by the numbers of their fields, with no schema: what a test wants a file to say, sound or not.

export type Value =
  | { readonly i8: number }
  | { readonly i32: number }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly i32s: readonly number[] }
  | { readonly f32s: readonly number[] }
  | { readonly i64s: readonly number[] }
  | { readonly table: Fields }
  | { readonly tables: readonly Fields[] };
export type Fields = Readonly<Record<number, Value>>;

export function flatBuffer(root: Fields, identifier?: string): Uint8Array {
  const builder = new Builder(1024);
  const vector = (size: number, values: readonly number[], add: (value: number) => void): Offset => {
    builder.startVector(size, values.length, size);
    for (const value of [...values].reverse()) add(value);
    return builder.endVector();
  };
  const offsetOf = (value: Value): Offset | undefined => {
    if ('text' in value) return builder.createString(value.text);
    if ('bytes' in value) return vector(1, [...value.bytes], (byte) => builder.addInt8(byte));
    if ('i32s' in value) return vector(4, value.i32s, (number) => builder.addInt32(number));
    if ('f32s' in value) return vector(4, value.f32s, (number) => builder.addFloat32(number));
    if ('i64s' in value) return vector(8, value.i64s, (number) => builder.addInt64(BigInt(number)));
    if ('table' in value) return table(value.table);
    return 'tables' in value ? vector(4, value.tables.map(table), (offset) => builder.addOffset(offset)) : undefined;
  };
  function table(fields: Fields): Offset {
    const entries = Object.entries(fields).map(([number, value]) => [Number(number), value, offsetOf(value)] as const);
    builder.startObject(Math.max(0, ...entries.map(([number]) => number + 1)));
    for (const [number, value, offset] of entries) {
      // Fields are written even where they are what they would be without: no value is NaN.
      if ('i8' in value) builder.addFieldInt8(number, value.i8, Number.NaN);
      else if ('i32' in value) builder.addFieldInt32(number, value.i32, Number.NaN);
      else builder.addFieldOffset(number, offset as Offset, 0);
    }
    return builder.endObject();
  }
  builder.finish(table(root), identifier);
  return builder.asUint8Array().slice();
}
