import { type NetworkSummary, summarize } from '../graph/summary.js';
import { buildGraph } from './build.js';
import type { ArchitectureName } from './tables.js';

/**
 * A network's table of blocks, before any weights are there.
 *
 * @param options.width the width multiplier, 0.1 to 4
 * @param options.resolution the input's side in pixels, 32 to 512
 * @param options.classes the number of classes
 * @returns blocks, parameters and multiply-adds (MAdds) of one image
 * @throws ShapeError for an unknown architecture or a number out of range
 * @example
 * const { parameters, madds } = describe('mobilenet_v3_small', { width: 0.75, resolution: 192 });
 */
export function describe(
  architecture: ArchitectureName,
  options: { width?: number; resolution?: number; classes?: number } = {},
): NetworkSummary {
  return summarize(buildGraph(architecture, options));
}
