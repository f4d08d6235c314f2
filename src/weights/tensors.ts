import { ModelFormatError } from '../errors.js';

export type DType = 'F32' | 'F16' | 'BF16' | 'I8' | 'I32';
export const DTYPE_BYTES: Readonly<Record<DType, number>> = { F32: 4, F16: 2, BF16: 2, I8: 1, I32: 4 };

/** A tensor as it lies in a file: little-endian, row-major. */
export interface RawTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** What every reader of weights makes of a file. */
export interface TensorFile {
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

export const elements = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

/** Of a half's exponent field, for its fraction as a whole number of 1024ths: a power a value would take most of the time. */
const POWERS = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 25));

export function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * (POWERS[exponent] as number);
}

/** Index of the first NaN or infinity, or -1. A loop: an array's own methods call back, which takes ten times as long. */
export function firstNotFinite(values: Float32Array): number {
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value - value !== 0) return i;
  }
  return -1;
}

/** A file's bytes need not be aligned: copy. (A Buffer's own slice() would not.) */
const aligned = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** Any floating-point tensor as float32; refuses NaN and infinity, which no trained weight is. */
export function toFloat32(name: string, tensor: RawTensor): Float32Array<ArrayBuffer> {
  let values: Float32Array<ArrayBuffer>;
  if (tensor.dtype === 'F32') values = new Float32Array(aligned(tensor.bytes));
  else if (tensor.dtype === 'F16') {
    const halves = new Uint16Array(aligned(tensor.bytes));
    values = new Float32Array(halves.length);
    for (let i = 0; i < halves.length; i++) values[i] = halfToFloat(halves[i] as number);
  } else if (tensor.dtype === 'BF16') {
    const words = new Uint32Array(new Uint16Array(aligned(tensor.bytes)));
    for (let i = 0; i < words.length; i++) words[i] = (words[i] as number) << 16;
    values = new Float32Array(words.buffer);
  } else throw new ModelFormatError(`tensor "${name}" is ${tensor.dtype}; a floating-point type was expected.`);
  const bad = firstNotFinite(values);
  if (bad >= 0) throw new ModelFormatError(`tensor "${name}" holds ${values[bad]} at ${bad}; weights are to be finite.`);
  return values;
}

export function toInt8(name: string, tensor: RawTensor): Int8Array {
  if (tensor.dtype !== 'I8') throw new ModelFormatError(`tensor "${name}" is ${tensor.dtype}; I8 was expected.`);
  return new Int8Array(aligned(tensor.bytes));
}

export function toInt32(name: string, tensor: RawTensor): Int32Array {
  if (tensor.dtype !== 'I32') throw new ModelFormatError(`tensor "${name}" is ${tensor.dtype}; I32 was expected.`);
  return new Int32Array(aligned(tensor.bytes));
}

/** Looks a tensor up and checks its shape. */
export function expectTensor(file: TensorFile, name: string, shape: readonly number[]): RawTensor {
  const tensor = file.tensors.get(name);
  if (!tensor) throw new ModelFormatError(`tensor "${name}" is missing.`);
  if (tensor.shape.length !== shape.length || shape.some((side, i) => tensor.shape[i] !== side)) {
    throw new ModelFormatError(`tensor "${name}" has shape [${tensor.shape}]; [${shape}] was expected.`);
  }
  return tensor;
}

/** Refuses tensors that no layer claimed: a file of another network is not to be half read. */
export function refuseExtra(file: TensorFile, used: ReadonlySet<string>): void {
  const extra = [...file.tensors.keys()].filter((name) => !used.has(name) && !name.endsWith('.num_batches_tracked'));
  if (extra.length > 0) {
    const more = extra.length > 3 ? ` and ${extra.length - 3} more` : '';
    throw new ModelFormatError(`the file holds tensors that this network has no place for: ${extra.slice(0, 3).join(', ')}${more}.`);
  }
}
