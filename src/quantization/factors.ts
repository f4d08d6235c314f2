import { type ConvNode, countReaders, type Graph, outputNames } from '../graph/graph.js';
import { compensated, DAMPING, factorize, MOST_MULTIPLICATIONS } from './compensate.js';
import type { StepCosts } from './eight-bits.js';
import { largestScales, type RoundedWeights } from './filters.js';

// Scales of input channels: a tensor may have one a channel where its reader's filter takes them in.

/** Shares of the way, in quarters. */
const QUARTERS = [0, 1, 2, 3, 4];
/** Factors are powers of this, so that an input's steps are always steps whose cost is known. */
const RATIO = Math.sqrt(Math.sqrt(2));
/** A channel that hardly counts at all stays within the others' reach: six octaves. */
const REACH = 24;

export interface Factors {
  /** One an input channel. */
  readonly rows: Float32Array;
  /** Of an input of 8 bits: the step of a channel is its factor times this. */
  readonly unit?: number;
}

/** Those that a layer's filter was multiplied by. */
export const factorsOf = (weights: RoundedWeights | undefined): Factors | undefined => (weights?.rows ? (weights as Factors) : undefined);

/**
 * Factors of input channels. Where the largest weights of some are far below those of others, their steps are coarser than
 * they need be: a factor brings them nearer to the others, and their tensor's own scale makes up for it (AWQ, arXiv
 * 2306.00978, between layers instead of inside a multiplication). Where the input has 8 bits, factors that follow the steps
 * that suit its channels keep those fine (SmoothQuant, arXiv 2211.10438). How far to go either way is a matter of the
 * output's error.
 *
 * @param filter [size, channels], size a multiple of `inputs`
 * @param costs of an input of 8 bits; left out, its steps are too fine to count
 * @returns undefined where no factors are the best and the input has more than 8 bits
 */
export function rowFactors(filter: ArrayLike<number>, covariance: Float64Array, inputs: number, costs?: StepCosts): Factors | undefined {
  const size = Math.sqrt(covariance.length);
  const channels = filter.length / size;
  // What rounding a large filter costs depends little on factors, and takes much time to know.
  const large = (size * size * channels) / 2 > MOST_MULTIPLICATIONS / 4;
  if (large && !costs) return undefined;
  const { largest, energy } = rowsOf(filter, channels, inputs);
  const byWeights = Int32Array.from(largest, belowMost(largest));
  const bySteps = costs && finestUseful(costs);
  let best: Factors | undefined;
  let least = costs ? Number.POSITIVE_INFINITY : totalError(filter, covariance, undefined);
  let chosenSteps = 0;
  const consider = (ofSteps: number, ofWeights: number) => {
    // In powers of the ratio: small weights grow, channels of small steps shrink.
    const powers = byWeights.map((down, c) => Math.round((down * ofWeights - (bySteps?.[c] ?? 0) * ofSteps) / 4));
    const rows = Float32Array.from(powers, powerOf);
    const [noise, unit] = costs ? leastNoise(costs, powers, energy) : [0, undefined];
    if (noise >= least) return;
    const error = noise + (large ? 0 : totalError(filter, covariance, rows));
    if (error >= least) return;
    [least, best] = [error, unit === undefined ? { rows } : { rows, unit }];
    chosenSteps = ofSteps;
  };
  // First the way that is worth more, then the other from there: all pairs would cost three times as much.
  for (const ofSteps of bySteps ? QUARTERS : []) consider(ofSteps, 0);
  for (const ofWeights of large ? [] : QUARTERS.slice(1)) consider(chosenSteps, ofWeights);
  return best;
}

/** Factors for the steps' sake alone: what 8 bits would do, before anything is rounded. */
export function stepFactors(filter: ArrayLike<number>, channels: number, inputs: number, costs: StepCosts): Factors {
  const powers = Int32Array.from(finestUseful(costs), (down) => 0 - down);
  const [, unit] = leastNoise(costs, powers, rowsOf(filter, channels, inputs).energy);
  return { rows: Float32Array.from(powers, powerOf), unit };
}

/** Of the rows of each input channel: the largest weight, and the sum of squares. */
function rowsOf(filter: ArrayLike<number>, channels: number, inputs: number): { largest: Float64Array; energy: Float64Array } {
  const largest = new Float64Array(inputs);
  const energy = new Float64Array(inputs);
  for (let i = 0; i < filter.length; i++) {
    const c = Math.floor(i / channels) % inputs;
    const w = filter[i] as number;
    largest[c] = Math.max(largest[c] as number, Math.abs(w));
    energy[c] = (energy[c] as number) + w * w;
  }
  return { largest, energy };
}

/** For each channel the step that suits it, by its number. */
const finestUseful = ({ noise }: StepCosts): number[] => noise.map((own) => own.indexOf(own.reduce((a, b) => Math.min(a, b))));

/** The unit with which steps cost the output the least. */
function leastNoise({ steps, noise }: StepCosts, powers: Int32Array, energy: Float64Array): readonly [noise: number, unit: number] {
  let best: readonly [number, number] = [Number.POSITIVE_INFINITY, steps[0] as number];
  for (let first = -REACH; first < steps.length + REACH; first++) {
    let sum = 0;
    for (let c = 0; c < powers.length && sum < best[0]; c++) {
      const at = first - (powers[c] as number);
      // No channel needs a coarser step than the first of these, nor is finer than the last.
      sum += at < 0 || at >= steps.length ? Number.POSITIVE_INFINITY : (energy[c] as number) * (noise[c]?.[at] as number);
    }
    if (sum < best[0]) best = [sum, (steps[0] as number) / powerOf(first)];
  }
  return best;
}

function powerOf(exponent: number): number {
  let power = 1;
  for (let i = 0; i < Math.abs(exponent); i++) power *= RATIO;
  return exponent < 0 ? 1 / power : power;
}

/** How many ratios a value lies below the largest. */
function belowMost(values: Float64Array): (value: number) => number {
  const most = values.reduce((a, b) => Math.max(a, b), 0);
  return (value) => {
    let steps = 0;
    for (let bound = most / RATIO; bound >= value && steps < REACH; bound /= RATIO) steps++;
    return steps;
  };
}

function totalError(filter: ArrayLike<number>, covariance: Float64Array, rows: Float32Array | undefined): number {
  const size = Math.sqrt(covariance.length);
  const [w, h] = rows ? inRows(filter, covariance, rows) : [filter, covariance];
  const scale = largestScales(Float32Array.from(w), filter.length / size);
  return compensated(factorize(h, size, DAMPING), w, scale).error.reduce((sum, error) => sum + error, 0);
}

/** A filter multiplied by factors of its input channels, and the covariance of the input divided by them. */
export function inRows(filter: ArrayLike<number>, covariance: Float64Array, rows: Float32Array): [Float64Array, Float64Array] {
  const size = Math.sqrt(covariance.length);
  const channels = filter.length / size;
  const factor = (i: number) => rows[i % rows.length] as number;
  return [
    Float64Array.from(filter, (w, i) => w * factor(Math.floor(i / channels))),
    covariance.map((value, i) => value / factor(Math.floor(i / size)) / factor(i % size)),
  ];
}

/** Whether a convolution can take in its input's scales: it reads them alone, and nothing else keeps them from being any. */
export function takesFactors({ nodes, outputs }: Graph, { inputs, groups }: ConvNode): boolean {
  const [input] = inputs as [string];
  const maker = nodes.find(({ name }) => name === input);
  // An activation that ends at a number, as ReLU6, ends at one lane for all channels.
  const ends = maker?.kind === 'conv' && (maker.activation === 'relu6' || maker.activation === 'hardSigmoid');
  const scaled = maker?.kind === 'conv' && maker.inputs.length === 1 && !ends;
  const free = maker?.kind === 'multiply' || maker?.kind === 'globalAveragePool' || scaled;
  return groups === 1 && free && countReaders(nodes).get(input) === 1 && !outputNames(outputs).includes(input);
}
