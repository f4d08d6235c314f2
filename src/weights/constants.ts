import { UnsupportedModelError } from '../errors.js';

/** A tensor that the file holds, as real numbers. */
export interface Constant {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

export type Operation = 'add' | 'subtract' | 'multiply' | 'divide';

const OPERATIONS: Readonly<Record<Operation, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
};

/** Of two constants of one shape, or one of which is a number. */
export function arithmeticOf(format: string, operation: Operation, a: Constant, b: Constant): Constant {
  const length = Math.max(a.values.length, b.values.length);
  if ([a, b].some(({ values }) => values.length !== 1 && values.length !== length)) {
    throw new UnsupportedModelError(`${format}: arithmetic of constants of shapes [${a.shape}] and [${b.shape}].`);
  }
  const { shape } = a.values.length === length ? a : b;
  const compute = OPERATIONS[operation];
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    values[i] = compute(a.values[a.values.length === 1 ? 0 : i] as number, b.values[b.values.length === 1 ? 0 : i] as number);
  }
  return { shape, values };
}
