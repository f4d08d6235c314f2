// Protobuf's wire format, the way out: https://protobuf.dev/programming-guides/encoding/

/** A field of a message: its number, and a whole number, a text, bytes, or the messages and texts of a repeated field. */
export type Part = readonly [number: number, value: Value | readonly Value[]];
type Value = number | string | Uint8Array | Real;

/** A number that is written in 32 bits. */
export class Real {
  constructor(readonly value: number) {}
}

const VARINT = 0;
const BYTES = 2;
const FIXED32 = 5;

/** A message of whole numbers that are not negative. */
export function message(...parts: readonly Part[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const [number, value] of parts) {
    for (const each of Array.isArray(value) ? (value as readonly Value[]) : [value as Value]) {
      if (typeof each === 'number') pieces.push(varint(number * 8 + VARINT), varint(each));
      else if (each instanceof Real) pieces.push(varint(number * 8 + FIXED32), new Uint8Array(Float32Array.of(each.value).buffer));
      else {
        const bytes = typeof each === 'string' ? new TextEncoder().encode(each) : each;
        pieces.push(varint(number * 8 + BYTES), varint(bytes.length), bytes);
      }
    }
  }
  const result = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    result.set(piece, at);
    at += piece.length;
  }
  return result;
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Uint8Array.from([...bytes, rest]);
}
