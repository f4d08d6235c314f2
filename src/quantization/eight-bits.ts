import type { Lanes } from '../graph/lanes.js';
import type { Range } from './observe.js';
import type { Scheme } from './schemes.js';

// 8 bits with a zero point: [low, high] spans 255 steps and contains zero.

export const STEPS = 255;
/** Of values, left outside of a range chosen by percentile. */
const OUTSIDE = 1e-4;
/** A tensor of zeros: any range does. */
const SMALLEST = 1e-6;

const lowest = ({ min }: Range) => min.reduce((a, b) => Math.min(a, b));
const highest = ({ max }: Range) => max.reduce((a, b) => Math.max(a, b));

/** A gate that is not the 16-bit one. */
export const EIGHT_BIT_GATE: Lanes = { scale: 1 / STEPS, low: 0, high: STEPS };

/** One scale for the tensor. */
export function eightBits(range: Range, { range: by }: Scheme): { readonly scale: number; readonly low: number; readonly high: number } {
  const { histogram } = range;
  let [min, max]: readonly [number, number] = [lowest(range), highest(range)];
  if (histogram && by === 'percentile') [min, max] = histogram.percentile(OUTSIDE);
  if (histogram && by === 'leastSquares') [min, max] = histogram.leastSquares(min, max, STEPS);
  const [bottom, top] = [Math.min(min, 0), Math.max(max, 0)];
  const scale = Math.max(top - bottom, SMALLEST) / STEPS;
  const low = Math.round(bottom / scale);
  return { scale, low, high: low + STEPS };
}

/** A scale a channel. The zero point is the tensor's: the one with which the channels' steps are the finest for what they hold. */
export function eightBitsPerChannel({ min, max, channels }: Range, scheme: Scheme): Lanes & { readonly scale: Float32Array } {
  const bounds = Array.from(min, (least, c): readonly [number, number] => {
    const [bottom, top] = [Math.min(least, 0), Math.max(max[c] as number, 0)];
    if (scheme.range !== 'leastSquares' || !channels) return [bottom, top];
    return (channels[c] as NonNullable<(typeof channels)[number]>).leastSquares(bottom, top, STEPS);
  });
  const step = ([bottom, top]: readonly [number, number], low: number) =>
    Math.max(top / (low + STEPS), low < 0 ? bottom / low : bottom < 0 ? Number.POSITIVE_INFINITY : 0, SMALLEST / STEPS);
  let [best, least] = [-128, Number.POSITIVE_INFINITY];
  for (let low = -128; low <= 0; low++) {
    let cost = 0;
    for (const bound of bounds) {
      // Against the finest step that the channel could have.
      const ratio = (step(bound, low) * STEPS) / Math.max(bound[1] - bound[0], SMALLEST);
      cost += ratio * ratio;
    }
    if (cost < least) [best, least] = [low, cost];
  }
  return { scale: Float32Array.from(bounds, (bound) => step(bound, best)), low: best, high: best + STEPS };
}

/** Steps are tried in ratios of a quarter of an octave. */
const RATIO = Math.sqrt(Math.sqrt(2));
const OCTAVES = 8;

/**
 * What 8 bits cost each channel of a tensor, step by step: noise[channel][i] is the mean squared error at steps[i], what
 * lies outside of its range clipped.
 */
export interface StepCosts {
  readonly low: number;
  /** Falling, each 2^-1/4 of the one before. */
  readonly steps: readonly number[];
  readonly noise: readonly Float64Array[];
}

export function stepCosts(range: Range, scheme: Scheme): StepCosts {
  const { scale, low } = eightBitsPerChannel(range, { ...scheme, range: 'minMax' });
  let step = scale.reduce((a, b) => Math.max(a, b), 0);
  const steps = Array.from({ length: OCTAVES * 4 }, () => {
    const own = step;
    step /= RATIO;
    return own;
  });
  const noise = (range.channels ?? []).map((histogram) =>
    Float64Array.from(steps, (s) => histogram.squaredError(low * s, (low + STEPS) * s, STEPS) / range.pixels),
  );
  return { low, steps, noise };
}
