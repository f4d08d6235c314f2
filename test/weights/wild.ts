import { existsSync, readFileSync } from 'node:fs';
import type { Tensor } from '../../src/inputs.js';
import type { Model } from '../../src/model/model.js';

// Model files as people have them, with what their own runtimes give; not in this repository.

export const WILD = '../shared/wild';
export const wildIsHere = existsSync(WILD);

/** The numbers of a NumPy file. */
export function npy(path: string): Float32Array | Uint8Array | Int8Array {
  const file = readFileSync(path);
  const length = file.readUInt16LE(8);
  const header = file.toString('latin1', 10, 10 + length);
  const bytes = new Uint8Array(file.subarray(10 + length));
  const type = /'descr': '([^']+)'/.exec(header)?.[1];
  if (type === '<f4') return new Float32Array(bytes.buffer);
  if (type === '|u1') return bytes;
  if (type === '|i1') return new Int8Array(bytes.buffer);
  throw new Error(`${path} holds ${type}`);
}

/** Bytes of an image, row by row: a photograph, or numbers that a formula gives. */
export function pixelsOf(input: string, side: number): Uint8Array {
  if (input !== 'formula') return npy(`${WILD}/inputs/${input}_${side}.npy`) as Uint8Array;
  const bytes = new Uint8Array(side * side * 3);
  for (let y = 0, i = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < 3; c++) bytes[i++] = (((3 * x * x + 5 * y * y + 7 * x * y) >> 6) + 85 * c) & 255;
    }
  }
  return bytes;
}

/** An image as the model wants it by its own account. */
export function tensorFor(model: Model, input: string): Tensor {
  const side = model.inputSize;
  const { mean, std } = model.preprocessing;
  const bytes = pixelsOf(input, side);
  const data = Float32Array.from(bytes, (value, i) => (value / 255 - (mean[i % 3] as number)) / (std[i % 3] as number));
  return { data, shape: [1, side, side, 3] };
}

export const softmax = (logits: Float32Array): Float32Array => {
  const highest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
};

export const sigmoid = (logits: Float32Array): Float32Array => logits.map((x) => 1 / (1 + Math.exp(-x)));

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return dot / Math.sqrt(aa * bb);
}

/** The largest difference, in shares of the expected values' spread. */
export function worst(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  const values = Array.from(expected);
  const spread = Math.max(...values) - Math.min(...values);
  return Math.max(...values.map((value, i) => Math.abs((actual[i] as number) - value))) / spread;
}
