import { ShapeError } from '../errors.js';
import type { Node } from '../graph/graph.js';
import { convNode } from './checks.js';
import type { ConvOptions, DenseLayer, QDenseLayer } from './types.js';

/** The names of squeeze-excite's input and output; between them are 'squeeze', 'reduce' and 'expand'. */
export const X = 'x';
export const OUT = 'output';

export function squeezeExciteNodes(
  channels: number,
  { reduce, expand }: { reduce: DenseLayer | QDenseLayer; expand: DenseLayer | QDenseLayer },
): Node[] {
  const options = (layer: DenseLayer | QDenseLayer, activation: ConvOptions['activation']) =>
    ({ padding: 'valid', ...(layer.bias ? { bias: layer.bias } : {}), ...(activation ? { activation } : {}) }) as const;
  const reducing = convNode('squeezeExcite: reduce', channels, reduce.filter, options(reduce, 'relu'));
  const expanding = convNode('squeezeExcite: expand', reducing.channels, expand.filter, options(expand, 'hardSigmoid'));
  if (expanding.channels !== channels || [...reducing.kernel, ...expanding.kernel].some((side) => side !== 1)) {
    throw new ShapeError(
      `squeezeExcite: the filters' shapes must be [1, 1, ${channels}, r] and [1, 1, r, ${channels}]; got [${reduce.filter.shape}] and [${expand.filter.shape}].`,
    );
  }
  return [
    { kind: 'globalAveragePool', name: 'squeeze', inputs: [X] },
    { ...reducing, name: 'reduce', inputs: ['squeeze'] },
    { ...expanding, name: 'expand', inputs: ['reduce'] },
    { kind: 'multiply', name: OUT, inputs: [X, 'expand'] },
  ];
}
