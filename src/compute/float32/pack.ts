import type { Engine } from '../../engine/engine.js';
import { Kernel } from '../../engine/kernel.js';
import { type ConvNode, isDepthwise } from '../../graph/graph.js';
import type { FloatWeights } from '../../graph/network.js';
import type { PackedConv, Source } from '../arithmetic.js';
import { packSixteens } from '../blocks.js';
import { CHANNEL_BLOCK, type ConvKernels, convCall, isPointwise, isVector, padChannels } from '../convolution.js';
import { packDense } from '../dense.js';
import { activationRange } from '../elementwise.js';

const NARROW: ConvKernels = {
  pointwise: Kernel.f32_pointwise,
  vector: Kernel.f32_vector,
  convolution: Kernel.f32_convolution,
  depthwise: Kernel.f32_depthwise,
  depthwiseOf: {
    '3x3s1': Kernel.f32_depthwise_3x3s1,
    '3x3s2': Kernel.f32_depthwise_3x3s2,
    '5x5s1': Kernel.f32_depthwise_5x5s1,
    '5x5s2': Kernel.f32_depthwise_5x5s2,
  },
  linesAtOnce: 1,
};

/** Four pixels by sixteen channels a tile, where there are registers for them. */
const WIDE: ConvKernels = { ...NARROW, pointwise: Kernel.f32_wide_pointwise };

export function packFloat(isWide: boolean, engine: Engine, node: ConvNode, weights: FloatWeights, source: Source): PackedConv {
  const channels = padChannels(node.channels);
  // h-sigmoid is a clamp of x / 6 + 1/2: the affine part goes into the weights.
  const [factor, shift] = node.activation === 'hardSigmoid' ? [1 / 6, 0.5] : [1, 0];
  const bias = engine.allocate(channels * 4);
  engine
    .floats(bias, channels)
    .fill(0)
    .set(weights.bias.map((b) => b * factor + shift));
  const [low, high] = activationRange(node.activation);
  const [height, width] = node.kernel;
  const depthwise = isDepthwise(node);
  const vector = isVector(node, source);
  const wide = isWide && !vector && isPointwise(node) && source.channels % CHANNEL_BLOCK === 0;
  const run = depthwise ? channels : width * source.channels;
  const size = depthwise ? height * width * channels : height * run * channels;
  const filter = engine.allocate(size * 4);
  const target = engine.floats(filter, size).fill(0);
  if (depthwise) packDepthwise(target, weights.filter, node, factor);
  else if (wide) packSixteens(target, weights.filter, node, { inputStored: run, run, group: 1, stored: channels }, factor, 0);
  else packDense(target, weights.filter, node, { inputStored: source.channels, run, group: 1 }, factor, 0);
  const words = { filter, bias, run, low, high };
  const packed = { kernels: wide ? WIDE : NARROW, words, vector };
  return { call: (input, output, residual) => convCall(packed, node, input, output, residual) };
}

/** [channels / 4][kernelHeight * kernelWidth][4], as assembly/f32/depthwise.ts reads it. */
function packDepthwise(target: Float32Array, source: Float32Array, { kernel, channels }: ConvNode, factor: number): void {
  const taps = kernel[0] * kernel[1];
  for (let tap = 0, from = 0; tap < taps; tap++) {
    for (let c = 0; c < channels; c++, from++) target[((c >> 2) * taps + tap) * 4 + (c & 3)] = (source[from] as number) * factor;
  }
}
