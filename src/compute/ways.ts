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

export type WayName = 'pairs' | 'products' | 'planes';

/** A way to compute everything: all give the same integers, and float32 sums in the same order. */
export interface WayEntry {
  readonly name: WayName;
  /** Whether this machine has what it needs. */
  readonly exists: (machine: Machine) => boolean;
  readonly real: (machine: Machine) => Arithmetic;
  /** Whether a model begins with it, tries it once an engine has optimized the code, or takes it only when asked to. */
  readonly turn: (machine: Machine) => 'first' | 'later' | 'asked';
}

export const WAYS: readonly WayEntry[] = [
  { name: 'pairs', exists: () => true, real: () => FLOAT32, turn: ({ arm }) => (arm ? 'asked' : 'first') },
  { name: 'products', exists: () => true, real: () => FLOAT32_WIDE, turn: ({ arm }) => (arm ? 'first' : 'asked') },
  {
    name: 'planes',
    exists: ({ dot }) => dot !== undefined,
    real: ({ arm }) => (arm ? FLOAT32_WIDE : FLOAT32),
    turn: () => 'later', // an engine's first tier may compute it slowly
  },
];
export const KERNEL_CHOICES: readonly ('auto' | WayName)[] = ['auto', ...WAYS.map(({ name }) => name)];

/** What networks with lanes need besides (lanes/index.ts); it is loaded with the first of them. */
export interface Integers {
  readonly LANES: Readonly<Record<WayName, (machine: Machine) => Arithmetic>>;
}

/** Of a network without lanes: it has a name, and nothing of it is called. */
const NO_LANES = { name: 'lanes' } as Arithmetic;

/**
 * @param integers for networks with lanes
 * @returns undefined where the machine lacks what the way needs
 */
export function arithmeticsOf({ name, exists, real }: WayEntry, machine: Machine, integers?: Integers): Arithmetics | undefined {
  if (!exists(machine)) return undefined;
  return { real: real(machine), lanes: integers?.LANES[name](machine) ?? NO_LANES };
}
