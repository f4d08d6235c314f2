import { InputError, ShapeError } from '../errors.js';

const NOT_FINITE = 'an embedding holds NaN or an infinity; all values must be finite.';

/**
 * Embeddings brought to length 1: then the sum of products of two is their cosine similarity. An embedding of zeros stays as it is.
 *
 * @param embeddings [n][size], row by row
 * @param size values of one embedding; all of them where it is left out
 * @throws InputError for a value that is not finite
 */
export function normalized(embeddings: Float32Array, size = embeddings.length): Float32Array {
  const result = new Float32Array(embeddings.length);
  for (let start = 0; start < embeddings.length; start += size) {
    const square = dot(embeddings, embeddings, start, start, size);
    if (!Number.isFinite(square)) throw new InputError(NOT_FINITE);
    const scale = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let i = start; i < start + size; i++) result[i] = (embeddings[i] as number) * scale;
  }
  return result;
}

/**
 * How alike two embeddings of one network are: the cosine of the angle between them, from -1 to 1. Embeddings need not be
 * normalized. 0 where one of them is all zeros.
 *
 * @param a as embed() gives it
 * @param b of the same length
 * @returns 1 for the same direction, 0 for nothing in common
 * @throws ShapeError for embeddings of different lengths, InputError for a value that is not finite
 * @example
 * const [a, b] = [await model.embed(first), await model.embed(second)];
 * if (cosineSimilarity(a, b) > 0.9) console.log('nearly the same picture');
 */
export function cosineSimilarity(a: Float32Array, b: Float32Array): number {
  if (a.length !== b.length || a.length === 0) {
    throw new ShapeError(`cosineSimilarity() takes two embeddings of one length above 0; got ${a.length} and ${b.length} values.`);
  }
  const lengths = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
  if (!Number.isFinite(lengths)) throw new InputError(NOT_FINITE);
  return lengths > 0 ? Math.max(-1, Math.min(1, dot(a, b) / lengths)) : 0;
}

/** The sum of products of `size` values of each, from `first` and `second` on. */
export function dot(a: Float32Array, b: Float32Array, first = 0, second = 0, size = a.length): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (a[first + i] as number) * (b[second + i] as number);
  return sum;
}
