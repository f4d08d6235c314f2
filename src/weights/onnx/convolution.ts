import { UnsupportedModelError } from '../../errors.js';
import type { Activation, Padding } from '../../graph/graph.js';
import type { Lanes } from '../../graph/lanes.js';
import type { Weights } from '../../graph/network.js';
import type { NetworkBuilder } from '../builder.js';
import type { ConvShape, Sides } from '../built.js';
import type { Constant } from '../constants.js';
import { toChannelsLast, turned } from '../layout.js';
import type { OnnxNode } from './model.js';
import { type Order, type Quantized, quantizedWeights, realValues } from './quantized.js';
import type { Values } from './values.js';

/** What follows a convolution: an activation, and the range that its tensor is quantized to. */
export interface Next {
  readonly activation: Activation;
  readonly lanes?: Lanes;
  /** The activation's own node. */
  readonly fused?: OnnxNode;
}

export function window(builder: NetworkBuilder, node: OnnxNode): { strides: [number, number]; padding: Padding } {
  const ints = (name: string, otherwise: readonly number[]) => node.attributes.get(name)?.ints ?? otherwise;
  const [top = 0, left = 0, bottom = 0, right = 0] = ints('pads', [0, 0, 0, 0]);
  const strides = ints('strides', [1, 1]) as [number, number];
  const automatic = node.attributes.get('auto_pad')?.text ?? 'NOTSET';
  if (strides.length !== 2 || ints('dilations', [1, 1]).some((dilation) => dilation !== 1) || Math.min(top, bottom, left, right) < 0) {
    throw builder.unsupported(`a ${node.operator} that is dilated or cut off.`);
  }
  if (automatic === 'SAME_UPPER') return { strides, padding: 'same' };
  if (automatic !== 'NOTSET' && automatic !== 'VALID' && automatic !== '') throw builder.unsupported(`padding ${automatic}.`);
  return { strides, padding: top + bottom + left + right === 0 ? 'valid' : [top, bottom, left, right] };
}

/** The zeros that a Pad adds: above, below, to the left and to the right. */
export function padSides(builder: NetworkBuilder, node: OnnxNode, values: Values, channelsLast: boolean): Sides {
  const pads = node.attributes.get('pads')?.ints ?? [...values.constant(node, 1).values];
  const mode = node.attributes.get('mode')?.text ?? 'constant';
  const [y, x] = channelsLast ? [1, 2] : [2, 3];
  const elsewhere = pads.some((pad, i) => pad !== 0 && i % 4 !== y && i % 4 !== x);
  if (pads.length !== 8 || elsewhere || mode !== 'constant') throw builder.unsupported(`a Pad of [${pads}].`);
  const value = node.attributes.get('value')?.float ?? values.scalar(node, 2) ?? 0;
  if (value !== 0) throw builder.unsupported(`a Pad with ${value}; zeros were expected.`);
  return [pads[y], pads[y + 4], pads[x], pads[x + 4]] as unknown as Sides;
}

/** @returns whether the convolution took over the activation behind it */
export function addConv(
  builder: NetworkBuilder,
  node: OnnxNode,
  input: string | undefined,
  filter: Quantized | Constant,
  bias: Constant | undefined,
  next: Next,
): boolean {
  const { shape } = 'tensor' in filter ? filter.tensor : filter;
  const [channels = 0, perGroup = 0, height = 0, width = 0] = shape;
  if (shape.length !== 4 || channels * perGroup * height * width === 0) {
    throw new UnsupportedModelError(`onnx: a Conv of a filter of shape [${shape}].`);
  }
  const ordered: Order = (values) => toChannelsLast(values, [channels, perGroup, height, width]);
  const groups = node.attributes.get('group')?.int ?? 1;
  return push(builder, node, input, { kernel: [height, width], ...window(builder, node), channels, groups }, filter, ordered, bias, next);
}

export function addDense(
  builder: NetworkBuilder,
  node: OnnxNode,
  input: string | undefined,
  filter: Quantized | Constant,
  bias: Constant | undefined,
  next: Next,
): boolean {
  const { operator, attributes } = node;
  const { shape } = 'tensor' in filter ? filter.tensor : filter;
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2) throw new UnsupportedModelError(`onnx: a ${operator} with a matrix of shape [${shape}].`);
  const plain =
    [attributes.get('alpha')?.float ?? 1, attributes.get('beta')?.float ?? 1, attributes.get('transA')?.int ?? 0].join() === '1,1,0';
  if (!plain) throw new UnsupportedModelError('onnx: a Gemm that scales or transposes its input.');
  const transposes = attributes.get('transB')?.int === 1;
  const [channels, inputs] = transposes ? [rows, columns] : [columns, rows];
  const kernel = builder.denseKernel(input, inputs);
  const depth = inputs / (kernel[0] * kernel[1]);
  const ordered: Order = (values) => {
    const first = transposes ? values : turned(values, inputs, channels);
    return toChannelsLast(first, [channels, depth, kernel[0], kernel[1]]);
  };
  return push(builder, node, input, { kernel, strides: [1, 1], padding: 'valid', channels, groups: 1 }, filter, ordered, bias, next);
}

/** In integers where the input, the filter and the output all are; else in real numbers. */
function push(
  builder: NetworkBuilder,
  node: OnnxNode,
  input: string | undefined,
  shape: ConvShape,
  filter: Quantized | Constant,
  ordered: Order,
  bias: Constant | undefined,
  { activation, lanes, fused }: Next,
): boolean {
  const { channels } = shape;
  const offsets = bias?.values ?? new Float32Array(channels);
  if (offsets.length !== channels) throw builder.damaged(`${offsets.length} biases for ${channels} channels.`);
  const own = builder.lanesOf(input);
  const integers = 'tensor' in filter && own && lanes ? quantizedWeights(filter, channels, offsets, own, ordered) : undefined;
  const real = () => ('tensor' in filter ? realValues(filter, node.output) : Float32Array.from(filter.values));
  const weights: Weights = integers ?? { filter: ordered(real()), bias: Float32Array.from(offsets) };
  builder.conv(
    node.output,
    input,
    { ...shape, activation: integers ? activation : 'none' },
    weights,
    integers || !fused ? lanes : undefined,
  );
  return integers !== undefined && fused !== undefined;
}
