import type { Lanes } from '../graph/lanes.js';
import { type Histogram, leastSquares } from './histogram.js';
import type { Range } from './observe.js';
import type { Scheme } from './schemes.js';

// 8 bits with a zero point: [low, high] spans 255 steps and contains zero.

export const STEPS = 255;
/** Of values, left outside of a range chosen by percentile. */
const OUTSIDE = 1e-4;
type Bounds = readonly [low: number, high: number];

/** Of ranges that calibration is done with: rounding asks for them layer by layer. */
const KNOWN_COSTS = new WeakMap<Range, StepCosts>();
const KNOWN_BOUNDS = new WeakMap<Range, readonly Bounds[]>();
const KNOWN_HEADROOM = new WeakMap<Range, number>();

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

/**
 * A scale a channel. The zero point is the tensor's: the one with which the channels' steps are the finest for what they hold.
 *
 * @param ceiling where the activation ends: no channel's range goes beyond, because the last lane is what clamps there
 */
export function eightBitsPerChannel(
  range: Range,
  scheme: Scheme,
  ceiling = Number.POSITIVE_INFINITY,
): Lanes & { readonly scale: Float32Array } {
  const bounds = scheme.range === 'leastSquares' ? leastSquaresBounds(range) : extremes(range);
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
  const steps = bounds.map((bound) => Math.min(step(bound, best), ceiling / (best + STEPS)));
  // Any step suits a channel that no image has shown; the largest has the most room for when one does.
  const largest = steps.reduce((a, b) => Math.max(a, b));
  const scale = Float32Array.from(bounds, ([bottom, top], c) => (bottom === top ? largest : (steps[c] as number)));
  return { scale, low: best, high: best + STEPS };
}

/** Channel by channel, with zero. */
const extremes = ({ min, max }: Range) =>
  Array.from(min, (least, c): readonly [number, number] => [Math.min(least, 0), Math.max(max[c] as number, 0)]);

/** Those with which all images together have the least error, with headroom. */
function leastSquaresBounds(range: Range): readonly Bounds[] {
  const known = KNOWN_BOUNDS.get(range);
  if (known) return known;
  const { halves } = range;
  const stretch = headroom(range);
  const bounds = extremes(range).map(([bottom, top], c): Bounds => {
    if (!halves) return [bottom, top];
    const error = (low: number, high: number) =>
      halves.reduce((sum, half) => sum + (half[c] as Histogram).squaredError(low, high, STEPS, stretch), 0);
    return leastSquares(error, bottom * stretch, top * stretch);
  });
  KNOWN_BOUNDS.set(range, bounds);
  return bounds;
}

/** By how much unseen images may exceed seen ones, to choose from. */
const HEADROOMS = [1, 1.19, 1.41, 1.68, 2, 2.38, 2.83];

/**
 * Channels behind many layers answer to few classes, and a hundred images show few classes: unseen ones would be clipped.
 * The bounds that suit each half of the images, stretched, are tried on the other half.
 */
function headroom(range: Range): number {
  const known = KNOWN_HEADROOM.get(range);
  if (known) return known;
  const { halves, images } = range;
  let best = 1;
  if (halves && images > 1) {
    const cost = new Float64Array(HEADROOMS.length);
    for (const [own, other] of [halves, [halves[1], halves[0]] as const]) {
      extremes(range).forEach(([bottom, top], c) => {
        const [low, high] = (own[c] as Histogram).leastSquares(bottom, top, STEPS);
        HEADROOMS.forEach((stretch, i) => {
          const error = (other[c] as Histogram).squaredError(low * stretch, high * stretch, STEPS);
          cost[i] = (cost[i] as number) + error;
        });
      });
    }
    best = HEADROOMS[cost.indexOf(cost.reduce((a, b) => Math.min(a, b)))] as number;
  }
  KNOWN_HEADROOM.set(range, best);
  return best;
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
  const known = KNOWN_COSTS.get(range);
  if (known) return known;
  const { scale, low } = eightBitsPerChannel(range, { ...scheme, range: 'minMax' });
  let step = scale.reduce((a, b) => Math.max(a, b), 0) * headroom(range);
  const steps = Array.from({ length: OCTAVES * 4 }, () => {
    const own = step;
    step /= RATIO;
    return own;
  });
  const { halves = [[], []], counted } = range;
  const stretch = headroom(range);
  const noise = halves[0].map((_, c) =>
    Float64Array.from(steps, (s) => {
      const errors = halves.map((half) => (half[c] as Histogram).squaredError(low * s, (low + STEPS) * s, STEPS, stretch));
      return errors.reduce((sum, error) => sum + error, 0) / counted;
    }),
  );
  const costs = { low, steps, noise };
  KNOWN_COSTS.set(range, costs);
  return costs;
}
