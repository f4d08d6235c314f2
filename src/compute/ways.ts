import type { Machine } from '../engine/machine.js';
import type { Arithmetic } from './arithmetic.js';
import { FLOAT32, FLOAT32_WIDE } from './float32/float32.js';

/** The two kinds of numbers that a network mixes. */
export interface Arithmetics {
  /** Of tensors without lanes, and of what goes in and out. */
  readonly real: Arithmetic;
  /** Of tensors with lanes. */
  readonly lanes: Arithmetic;
}

/** Arithmetic on lanes by way; loaded with the first network that has some. */
export type Integers = Pick<typeof import('./lanes/index.js'), WayName>;

function absent(): never {
  throw new Error('arithmetic on lanes is not loaded');
}
const ABSENT: Arithmetic = { name: 'lanes', elementBytes: 2, packConv: absent, call: absent };
/** For networks without lanes. */
const NO_INTEGERS: Integers = { pairs: ABSENT, products: ABSENT, planes: () => ABSENT };

export type WayName = 'pairs' | 'products' | 'planes';

/** A way to compute everything: all give the same integers, and float32 sums in the same order. */
export interface WayEntry {
  readonly name: WayName;
  /** Undefined where this machine lacks what it needs. */
  readonly on: (machine: Machine, integers?: Integers) => Arithmetics | undefined;
  /** Whether a model begins with it, tries it once an engine has optimized the code, or takes it only when asked to. */
  readonly turn: (machine: Machine) => 'first' | 'later' | 'asked';
}

export const WAYS: readonly WayEntry[] = [
  {
    name: 'pairs',
    on: (_, { pairs } = NO_INTEGERS) => ({ real: FLOAT32, lanes: pairs }),
    turn: ({ arm }) => (arm ? 'asked' : 'first'),
  },
  {
    name: 'products',
    on: (_, { products } = NO_INTEGERS) => ({ real: FLOAT32_WIDE, lanes: products }),
    turn: ({ arm }) => (arm ? 'first' : 'asked'),
  },
  {
    name: 'planes',
    on: ({ dot, arm }, { planes } = NO_INTEGERS) => dot && { real: arm ? FLOAT32_WIDE : FLOAT32, lanes: planes(dot, arm) },
    turn: () => 'later', // an engine's first tier may compute it slowly
  },
];
export const KERNEL_CHOICES: readonly ('auto' | WayName)[] = ['auto', ...WAYS.map(({ name }) => name)];
