// What save() of Examples and of Head write: JSON, values in base64.
import { ModelFormatError } from '../errors.js';

const FORMAT = 'mobilenet-v3-wasm/transfer';
const VERSION = 1;

export const damaged = () => new ModelFormatError('the file is damaged, or was not made by save() of mobilenet-v3-wasm/transfer.');

export const encode = (value: object) => new TextEncoder().encode(JSON.stringify({ format: FORMAT, version: VERSION, ...value }));

export function decode(bytes: Uint8Array, kind: string): Record<string, unknown> & { size: number } {
  let value: Record<string, unknown> | null = null;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Told below.
  }
  const { format, version, kind: found, size } = value ?? {};
  if (format !== FORMAT || found !== kind || !Number.isInteger(size) || (size as number) < 0) throw damaged();
  if (version !== VERSION) throw new ModelFormatError(`the file has version ${version}; this release reads version ${VERSION}.`);
  return value as Record<string, unknown> & { size: number };
}

export function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw damaged();
  return value;
}

export function toBase64(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text: unknown, length: number): Float32Array {
  if (typeof text !== 'string') throw damaged();
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    throw damaged();
  }
  if (bytes.length !== length * 4) throw damaged();
  const values = new Float32Array(bytes.buffer);
  if (!values.every(Number.isFinite)) throw damaged();
  return values;
}
