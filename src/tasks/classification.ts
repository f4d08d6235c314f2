import { ShapeError } from '../errors.js';

export interface Prediction {
  readonly index: number;
  readonly label: string;
  readonly probability: number;
}

/** @throws ShapeError for anything but a whole number above 0 */
export function checkTopK(topK: number): void {
  if (!Number.isInteger(topK) || topK < 1) throw new ShapeError(`topK must be a whole number above 0; got ${topK}.`);
}

/** The most probable classes, ties going to the lower index: of one answer by softmax, or each on its own by sigmoid. */
export function mostProbable(
  logits: Float32Array,
  labels: readonly string[],
  count: number,
  how: 'softmax' | 'sigmoid' = 'softmax',
): Prediction[] {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  const probability = (index: number) =>
    how === 'sigmoid' ? 1 / (1 + Math.exp(-(logits[index] as number))) : (exponentials[index] as number) / sum;
  const order = [...logits.keys()].sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  return order.slice(0, count).map((index) => ({ index, label: labels[index] as string, probability: probability(index) }));
}
