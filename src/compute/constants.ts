import type { Engine } from '../engine/engine.js';
import { type Lanes, scaleOf } from '../graph/lanes.js';
import type { Operand } from './arithmetic.js';

/**
 * f32 values a channel in the engine's memory, at least a block of 8, for kernels on lanes.
 *
 * @param value what it is for a channel; the same for all where each of `lanes` has one scale
 */
export function perChannel(engine: Engine, operand: Operand, lanes: readonly Lanes[], value: (channel: number) => number): number {
  const { stored, shape } = operand;
  const channels = shape[2];
  // An image's channels, if they have a scale each, repeat in blocks of 8 after eight pixels.
  const uniform = lanes.every(({ scale }) => typeof scale === 'number');
  const length = stored % 8 === 0 ? stored : uniform ? 8 : stored * 8;
  const pointer = engine.allocate(length * 4);
  const values = engine.floats(pointer, length);
  if (uniform) values.fill(value(0));
  else for (let i = 0; i < length; i++) values[i] = i % stored < channels ? value(i % stored) : 1;
  return pointer;
}

/** Values after which perChannel() repeats. */
export const periodOf = ({ stored, lanes }: Operand): number =>
  stored % 8 === 0 ? stored : typeof lanes?.scale === 'number' ? 8 : stored * 8;

export const lanesOf = (operand: Operand): Lanes => operand.lanes as Lanes;
export const stepOf = (operand: Operand, channel: number): number => scaleOf(lanesOf(operand), channel);
