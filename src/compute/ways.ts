import type { Machine } from '../engine/machine.js';
import type { Arithmetic } from './arithmetic.js';
import { FLOAT32, FLOAT32_WIDE } from './float32/float32.js';
import { lanesBy } from './lanes/lanes.js';
import { PAIRS } from './lanes/pairs.js';
import { planesBy } from './lanes/planes.js';
import { PRODUCTS } from './lanes/products.js';

/** The two kinds of numbers that a network mixes. */
export interface Arithmetics {
  /** Of tensors without lanes, and of what goes in and out. */
  readonly real: Arithmetic;
  /** Of tensors with lanes. */
  readonly lanes: Arithmetic;
}

export type WayName = 'pairs' | 'products' | 'planes';

/** A way to compute everything: all give the same integers, and float32 sums in the same order. */
export interface WayEntry {
  readonly name: WayName;
  /** Undefined where this machine lacks what it needs. */
  readonly on: (machine: Machine) => Arithmetics | undefined;
  /** Whether a model begins with it, tries it once an engine has optimized the code, or takes it only when asked to. */
  readonly turn: (machine: Machine) => 'first' | 'later' | 'asked';
}

export const WAYS: readonly WayEntry[] = [
  { name: 'pairs', on: () => ({ real: FLOAT32, lanes: lanesBy(PAIRS) }), turn: ({ arm }) => (arm ? 'asked' : 'first') },
  { name: 'products', on: () => ({ real: FLOAT32_WIDE, lanes: lanesBy(PRODUCTS) }), turn: ({ arm }) => (arm ? 'first' : 'asked') },
  {
    name: 'planes',
    on: ({ dot, arm }) => dot && { real: arm ? FLOAT32_WIDE : FLOAT32, lanes: lanesBy(planesBy(dot, arm ? PRODUCTS : PAIRS)) },
    turn: () => 'later', // an engine's first tier may compute it slowly
  },
];
export const KERNEL_CHOICES: readonly ('auto' | WayName)[] = ['auto', ...WAYS.map(({ name }) => name)];
