import { type Arithmetics, arithmeticsOf, type Integers, KERNEL_CHOICES, WAYS, type WayEntry, type WayName } from '../compute/ways.js';
import type { Engine } from '../engine/engine.js';
import { machineOf } from '../engine/machine.js';
import { UnsupportedModelError } from '../errors.js';

export type Kernels = 'auto' | WayName;

/** A way on the machine at hand. */
export interface ChosenWay {
  readonly name: WayName;
  readonly arithmetics: Arithmetics;
  readonly turn: ReturnType<WayEntry['turn']>;
}

function on(engine: Engine, entry: WayEntry, integers?: Integers): ChosenWay | undefined {
  const machine = machineOf(engine);
  const arithmetics = arithmeticsOf(entry, machine, integers);
  return arithmetics && { name: entry.name, arithmetics, turn: entry.turn(machine) };
}

/**
 * The way to begin with: the caller's, or what suits the processor before any code is optimized.
 *
 * @param integers for networks with lanes
 * @throws UnsupportedModelError for a way that this engine lacks
 */
export function firstWay(engine: Engine, kernels: Kernels = 'auto', integers?: Integers): ChosenWay {
  const machine = machineOf(engine);
  const entry = WAYS.find(({ name, turn }) => (kernels === 'auto' ? turn(machine) === 'first' : name === kernels)) as WayEntry;
  const way = on(engine, entry, integers);
  if (way) return way;
  const names = WAYS.filter((other) => on(engine, other, integers)).map(({ name }) => name);
  throw new UnsupportedModelError(
    `kernels '${kernels}' needs an exact relaxed dot product, which this engine lacks with ${engine.variant} SIMD; it has ${names.join(' and ')}.`,
  );
}

/** Ways that may turn out to be faster than the first, once an engine has optimized their code. */
export function rivalsOf(engine: Engine, first: ChosenWay, integers: Integers): ChosenWay[] {
  return WAYS.flatMap((entry) => on(engine, entry, integers) ?? []).filter(({ name, turn }) => name !== first.name && turn === 'later');
}

export { KERNEL_CHOICES, type WayName };
