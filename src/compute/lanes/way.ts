import type { Engine } from '../../engine/engine.js';
import type { ConvNode } from '../../graph/graph.js';
import type { Lanes } from '../../graph/lanes.js';
import type { QuantizedWeights } from '../../graph/network.js';
import type { Source } from '../arithmetic.js';
import type { PackedWords } from '../convolution.js';

/** A filter as a way's kernels read it. */
export interface PackedFilter extends Omit<PackedWords, 'words'> {
  readonly words: Omit<PackedWords['words'], 'bias'>;
}

/**
 * One way to compute a convolution's sums of lanes. All ways give the same integers; which is fast depends on the processor. A
 * way knows its kernels and how they want their filters to lie in memory.
 */
export interface Way {
  readonly name: string;
  /**
   * @param bias i32 [channels] in the engine's memory, which a way may shift
   * @throws QuantizationError for a filter with which sums could overflow
   */
  pack(
    engine: Engine,
    node: ConvNode,
    weights: QuantizedWeights,
    source: Source,
    input: Pick<Lanes, 'low' | 'high'>,
    bias: number,
  ): PackedFilter;
}
