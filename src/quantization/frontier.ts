import { argmax } from './divergence.js';
import type { Costs } from './tensor-costs.js';

/*
 * Which tensors should have 16 bits where the others have 8? Each has a price, the cycles that two planes of bytes take more
 * than one, and a worth, the error that it no longer makes. Errors of different tensors add up: they have nothing to do with
 * each other. So the frontier of agreement against cycles is had by taking tensors in the order of worth for the price.
 */

/** One choice of bits on the frontier. */
export interface FrontierPoint {
  /** Tensors of 16 bits. */
  readonly wide: readonly string[];
  /** Estimated cycles above those of 8 bits everywhere. */
  readonly cycles: number;
  /** Signal over noise of the logits, in decibels, as far as activations of 8 bits make noise. */
  readonly sqnrDb: number;
  /** The share of images that are expected to keep their class. */
  readonly agreement: number;
}

export interface Frontier extends Costs {
  readonly points: readonly FrontierPoint[];
  readonly chosen: FrontierPoint;
}

/** From 8 bits everywhere to 16 everywhere, a tensor more each time. */
export function frontier({ logits, tensors }: Costs): FrontierPoint[] {
  const margins = marginsOf(logits);
  const worth = ({ noise, cycles }: Costs['tensors'][number]) => (cycles > 0 ? noise / cycles : Number.POSITIVE_INFINITY);
  const order = [...tensors].sort((a, b) => (worth(a) === worth(b) ? b.noise - a.noise : worth(b) > worth(a) ? 1 : -1));
  return Array.from({ length: order.length + 1 }, (_, count): FrontierPoint => {
    const [wide, narrow] = [order.slice(0, count), order.slice(count)];
    const noise = narrow.reduce((sum, tensor) => sum + tensor.noise, 0);
    return {
      wide: wide.map(({ name }) => name),
      cycles: wide.reduce((sum, { cycles }) => sum + cycles, 0),
      sqnrDb: -10 * Math.log10(noise),
      agreement: expectedAgreement(margins, noise),
    };
  });
}

/** The cheapest point that keeps a budget; 16 bits everywhere where none does. */
export const cheapest = (points: readonly FrontierPoint[], agreement: number): FrontierPoint =>
  points.find((point) => point.agreement >= agreement) ?? (points.at(-1) as FrontierPoint);

/** Of each image, how far below the best logit the others lie, in standard deviations of all logits. */
function marginsOf(logits: readonly Float32Array[]): Float64Array[] {
  let [variance, count] = [0, 0];
  for (const values of logits) {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    for (const value of values) variance += (value - mean) ** 2;
    count += values.length;
  }
  const deviation = Math.sqrt(variance / count) || 1;
  return logits.map((values) => {
    const best = argmax(values);
    const most = values[best] as number;
    return Float64Array.from(values, (value) => (most - value) / deviation).filter((_, i) => i !== best);
  });
}

/** @param noise variance of a logit's error over that of the logits; errors of different logits have nothing to do with each other */
export function expectedAgreement(margins: readonly Float64Array[], noise: number): number {
  // The difference of two logits has the errors of both.
  const deviation = Math.sqrt(2 * noise);
  const stays = margins.map((own) => own.reduce((product, margin) => product * (1 - tail(margin / deviation)), 1));
  return stays.reduce((sum, share) => sum + share, 0) / stays.length;
}

/** Of a normal distribution, the share above z >= 0: Abramowitz and Stegun, 26.2.17. */
function tail(z: number): number {
  if (!(z < 8)) return 0;
  const t = 1 / (1 + 0.2316419 * z);
  const polynomial = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * polynomial;
}
