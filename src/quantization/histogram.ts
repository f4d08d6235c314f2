/** Counts of values in bins of equal width around zero; when a value lies outside, bins are merged by twos. */
export class Histogram {
  private readonly counts: Float64Array;
  /** Bins cover [-reach, reach). A power of two, so that merged bins are exact. */
  private reach = 2 ** -10;
  /** Bins that are not empty, by their middle: many questions are asked when all is counted. */
  private filled: { readonly values: Float64Array; readonly counts: Float64Array } | undefined;

  /** @param bins of which half are below zero */
  constructor(private readonly bins = 2048) {
    this.counts = new Float64Array(bins);
  }

  /** @param places behind each of which `count` values are counted, from `first` on */
  add(values: Float32Array, first: number, count: number, places: readonly number[] = [0]): void {
    const { counts } = this;
    const half = this.bins / 2;
    let { reach } = this;
    this.filled = undefined;
    for (const place of places) {
      for (let i = place + first; i < place + first + count; i++) {
        const value = values[i] as number;
        while (!(value >= -reach && value < reach)) {
          if (!Number.isFinite(value)) return;
          this.merge();
          reach = this.reach;
        }
        const bin = Math.floor((value / reach + 1) * half);
        counts[bin] = (counts[bin] as number) + 1;
      }
    }
  }

  private merge(): void {
    const { counts } = this;
    const half = this.bins / 2;
    const quarter = this.bins / 4;
    // From the middle outward: what is read lies beyond what is written.
    for (let i = 0; i < quarter; i++) {
      const [up, down] = [half + 2 * i, half - 1 - 2 * i];
      counts[half + i] = (counts[up] as number) + (counts[up + 1] as number);
      counts[half - 1 - i] = (counts[down] as number) + (counts[down - 1] as number);
    }
    counts.fill(0, 0, quarter).fill(0, half + quarter);
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
    this.filled ??= this.notEmpty();
    const { values, counts } = this.filled;
    let error = 0;
    for (let i = 0; i < values.length; i++) {
      const value = (values[i] as number) * stretch;
      const outside = value < low ? value - low : value > high ? value - high : 0;
      error += (counts[i] as number) * (outside === 0 ? rounding : outside * outside);
    }
    return error;
  }

  private notEmpty() {
    const bins = [...this.counts.keys()].filter((bin) => this.counts[bin] !== 0);
    return { values: Float64Array.from(bins, this.center), counts: Float64Array.from(bins, (bin) => this.counts[bin] as number) };
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
