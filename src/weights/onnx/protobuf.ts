import { ModelFormatError } from '../../errors.js';

/** One field of a message: numbers as they are, everything else as its bytes. */
export interface Field {
  readonly number: number;
  /** Of a varint; it may have lost the lowest bits above 2^53, which no field that is read needs. */
  readonly value: number;
  /** Of a length-delimited or fixed field. */
  readonly bytes: Uint8Array;
}

const damaged = (what: string) => new ModelFormatError(`onnx: the file is damaged or truncated: ${what}.`);
const NOTHING = new Uint8Array(0);

/**
 * The fields of a protobuf message, one after the other. Nothing is copied, and nothing is allocated by what a length
 * claims. https://protobuf.dev/programming-guides/encoding/
 *
 * @throws ModelFormatError where the bytes are no message
 */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++];
      if (byte === undefined) throw damaged('a number is cut off');
      if (shift < 28) low += (byte & 127) * 2 ** shift;
      else high += (byte & 127) * 2 ** (shift - 28);
      // Ten bytes hold a negative number: its two's complement.
      if (byte < 128) return high >= 2 ** 35 ? low + (high - 2 ** 36) * 2 ** 28 : low + high * 2 ** 28;
    }
    throw damaged('a number is longer than ten bytes');
  };
  const take = (length: number): Uint8Array => {
    if (!(length >= 0 && length <= bytes.length - at)) throw damaged(`a field claims ${length} bytes of ${bytes.length - at}`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    if (number < 1) throw damaged(`a field has the number ${number}`);
    switch (key % 8) {
      case 0:
        yield { number, value: varint(), bytes: NOTHING };
        break;
      case 1:
        yield { number, value: 0, bytes: take(8) };
        break;
      case 2:
        yield { number, value: 0, bytes: take(varint()) };
        break;
      case 5:
        yield { number, value: 0, bytes: take(4) };
        break;
      default:
        throw damaged(`a field has the wire type ${key % 8}`);
    }
  }
}

/** A repeated number: packed, or one a field. */
export function numbersOf(field: Field): number[] {
  if (field.bytes.length === 0) return [field.value];
  // A packed list reads as a message whose every field is a bare varint: prefixed by a key, one by one.
  const values: number[] = [];
  let start = 0;
  for (let i = 0; i < field.bytes.length; i++) {
    if ((field.bytes[i] as number) >= 128) continue;
    const single = new Uint8Array(i - start + 2);
    single[0] = 8;
    single.set(field.bytes.subarray(start, i + 1), 1);
    for (const { value } of fieldsOf(single)) values.push(value);
    start = i + 1;
  }
  return values;
}

const decoder = new TextDecoder();
export const textOf = ({ bytes }: Field): string => decoder.decode(bytes);
