import { ShapeError } from '../errors.js';

export interface Prediction {
  readonly index: number;
  readonly label: string;
  readonly probability: number;
}

/** Which classes of an answer are wanted. */
export interface Choice {
  /** Classes at most, a whole number above 0; 5 where it is left out. */
  readonly topK?: number;
  /** The least probability, from 0 to 1, that a class must have; 0 where it is left out. */
  readonly scoreThreshold?: number;
}

/** @throws ShapeError for a `topK` or `scoreThreshold` that is out of range */
export function checkChoice({ topK = 5, scoreThreshold = 0 }: Choice): Required<Choice> {
  if (!Number.isInteger(topK) || topK < 1) throw new ShapeError(`topK must be a whole number above 0; got ${topK}.`);
  if (!(scoreThreshold >= 0 && scoreThreshold <= 1)) {
    throw new ShapeError(`scoreThreshold must be a probability from 0 to 1; got ${scoreThreshold}.`);
  }
  return { topK, scoreThreshold };
}

/** The classes' probabilities: of one answer by softmax, or each on its own by sigmoid. */
export function probabilitiesOf(logits: Float32Array, how: 'softmax' | 'sigmoid' = 'softmax'): Float64Array {
  if (how === 'sigmoid') return Float64Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit)));
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/** The most probable classes, ties going to the lower index. */
export function mostProbable(
  logits: Float32Array,
  labels: readonly string[],
  { topK, scoreThreshold }: Required<Choice>,
  how?: 'softmax' | 'sigmoid',
): Prediction[] {
  const probabilities = probabilitiesOf(logits, how);
  const order = [...logits.keys()].sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  const best = order
    .slice(0, topK)
    .map((index) => ({ index, label: labels[index] as string, probability: probabilities[index] as number }));
  return best.filter((prediction) => prediction.probability >= scoreThreshold);
}
