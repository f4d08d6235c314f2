const BINS = 2048; // of which half are below zero

/** Counts of values in bins of equal width around zero; when a value lies outside, bins are merged by twos. */
export class Histogram {
  private readonly counts = new Float64Array(BINS);
  /** Bins cover [-reach, reach). A power of two, so that merged bins are exact. */
  private reach = 2 ** -10;

  add(values: Float32Array, from: number, count: number): void {
    const { counts } = this;
    for (let i = from; i < from + count; i++) {
      const value = values[i] as number;
      while (!(value >= -this.reach && value < this.reach)) {
        if (!Number.isFinite(value)) return;
        this.merge();
      }
      const bin = Math.floor((value / this.reach + 1) * (BINS / 2));
      counts[bin] = (counts[bin] as number) + 1;
    }
  }

  private merge(): void {
    const { counts } = this;
    const half = BINS / 2;
    const quarter = BINS / 4;
    const merged = Float64Array.from({ length: half }, (_, i) => (counts[2 * i] as number) + (counts[2 * i + 1] as number));
    counts.fill(0);
    counts.set(merged, quarter);
    this.reach *= 2;
  }

  private center = (bin: number) => ((bin + 0.5) / (BINS / 2) - 1) * this.reach;

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
    const up = Array.from({ length: BINS }, (_, i) => i);
    return [bound(up), bound([...up].reverse())];
  }

  /**
   * The range within [min, max] that `levels` steps render with the least squared error: what clipping loses against
   * what a coarser step loses (Banner et al., arXiv 1810.05723, by search instead of by formula).
   */
  leastSquares(min: number, max: number, levels: number): readonly [number, number] {
    let best: readonly [number, number] = [min, max];
    let least = Number.POSITIVE_INFINITY;
    for (let share = 1; share > 0.1; share *= 0.93) {
      for (const range of [
        [min * share, max * share],
        [min, max * share],
      ] as const) {
        const error = this.squaredError(range[0], range[1], levels);
        if (error < least) [least, best] = [error, range];
      }
    }
    return best;
  }

  private squaredError(low: number, high: number, levels: number): number {
    const rounding = ((high - low) / levels) ** 2 / 12;
    let error = 0;
    for (let bin = 0; bin < BINS; bin++) {
      const count = this.counts[bin] as number;
      if (count === 0) continue;
      const value = this.center(bin);
      error += count * (value < low ? (value - low) ** 2 : value > high ? (value - high) ** 2 : rounding);
    }
    return error;
  }
}
