/** Counts of values in bins of equal width around zero; when a value lies outside, bins are merged by twos. */
export class Histogram {
  private readonly counts: Float64Array;
  /** Bins cover [-reach, reach). A power of two, so that merged bins are exact. */
  private reach = 2 ** -10;

  /** @param bins of which half are below zero */
  constructor(private readonly bins = 2048) {
    this.counts = new Float64Array(bins);
  }

  add(values: Float32Array, from: number, count: number): void {
    const { counts } = this;
    for (let i = from; i < from + count; i++) {
      const value = values[i] as number;
      while (!(value >= -this.reach && value < this.reach)) {
        if (!Number.isFinite(value)) return;
        this.merge();
      }
      const bin = Math.floor((value / this.reach + 1) * (this.bins / 2));
      counts[bin] = (counts[bin] as number) + 1;
    }
  }

  private merge(): void {
    const { counts } = this;
    const half = this.bins / 2;
    const quarter = this.bins / 4;
    const merged = Float64Array.from({ length: half }, (_, i) => (counts[2 * i] as number) + (counts[2 * i + 1] as number));
    counts.fill(0);
    counts.set(merged, quarter);
    this.reach *= 2;
  }

  private center = (bin: number) => ((bin + 0.5) / (this.bins / 2) - 1) * this.reach;

  /** Leaves `share` of the values outside, as many below as above. */
  percentile(share: number): readonly [number, number] {
    const total = this.counts.reduce((sum, n) => sum + n, 0);
    const bound = (bins: number[]) => {
      let seen = 0;
      for (const bin of bins) {
        seen += this.counts[bin] as number;
        if (seen > (share / 2) * total) return this.center(bin);
      }
      return 0;
    };
    const up = Array.from({ length: this.bins }, (_, i) => i);
    return [bound(up), bound([...up].reverse())];
  }

  /**
   * The range within [min, max] that `levels` steps render with the least squared error: what clipping loses against
   * what a coarser step loses (Banner et al., arXiv 1810.05723, by search instead of by formula).
   */
  leastSquares(min: number, max: number, levels: number): readonly [number, number] {
    return leastSquares((low, high) => this.squaredError(low, high, levels), min, max);
  }

  /**
   * Of all values together, where those outside of [low, high] are clipped and those inside fall on `levels` steps.
   *
   * @param stretch as if every value were so many times as large
   */
  squaredError(low: number, high: number, levels: number, stretch = 1): number {
    const step = (high - low) / levels;
    const rounding = (step * step) / 12;
    let error = 0;
    for (let bin = 0; bin < this.bins; bin++) {
      const count = this.counts[bin] as number;
      if (count === 0) continue;
      const value = this.center(bin) * stretch;
      const outside = value < low ? value - low : value > high ? value - high : 0;
      error += count * (outside === 0 ? rounding : outside * outside);
    }
    return error;
  }
}

/** Of the ranges within [min, max], the one with the least error. */
export function leastSquares(errorOf: (low: number, high: number) => number, min: number, max: number): readonly [number, number] {
  let best: readonly [number, number] = [min, max];
  let least = Number.POSITIVE_INFINITY;
  for (let share = 1; share > 0.1; share *= 0.93) {
    for (const range of [
      [min * share, max * share],
      [min, max * share],
    ] as const) {
      const error = errorOf(range[0], range[1]);
      if (error < least) [least, best] = [error, range];
    }
  }
  return best;
}
