import type { NetworkSummary } from '../graph/summary.js';
import type { LayerError } from './layer-error.js';
import type { Comparison } from './metrics.js';

/** What a comparison of float32 with int8 found, for tables, JSON and the page alike. */
export interface ComparisonResult {
  readonly weights: string;
  readonly summary: NetworkSummary;
  readonly labels: readonly string[];
  readonly calibrationImages: number;
  /** Whether those are of the tested folder. */
  readonly calibratedOnTested: boolean;
  /** Files that could not be decoded. */
  readonly skipped: readonly string[];
  readonly comparison: Comparison;
  /** Of float32 and of int8. */
  readonly sizes: readonly [Size, Size];
  readonly layerErrors: readonly LayerError[];
}

interface Size {
  readonly modelBytes: number;
  readonly arenaBytes: number;
}
