import type { QTensor, Tensor } from '../../src/kernels/index.js';

/** Largest difference, relative to the largest value where that is above 1. */
export function difference(actual: Tensor, expected: Tensor): number {
  expect(actual.shape).toEqual(expected.shape);
  let [worst, largest] = [0, 1];
  for (let i = 0; i < expected.data.length; i++) {
    const [value, given] = [expected.data[i] as number, actual.data[i] as number];
    worst = Number.isNaN(given) ? Number.POSITIVE_INFINITY : Math.max(worst, Math.abs(value - given));
    largest = Math.max(largest, Math.abs(value));
  }
  return worst / largest;
}

/** Where two tensors first differ; undefined where they are the same, bit for bit. */
export function firstDifference(actual: QTensor | Tensor, expected: QTensor | Tensor): string | undefined {
  expect(actual.shape).toEqual(expected.shape);
  expect(actual.data.constructor).toBe(expected.data.constructor);
  const at = expected.data.findIndex((value, i) => value !== actual.data[i]);
  return at < 0 ? undefined : `[${at}] ${actual.data[at]} instead of ${expected.data[at]}`;
}
