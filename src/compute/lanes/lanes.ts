import type { Engine } from '../../engine/engine.js';
import { QuantizationError } from '../../errors.js';
import { type ConvNode, isDepthwise } from '../../graph/graph.js';
import { type Lanes, scaleOf, unitOf } from '../../graph/lanes.js';
import type { QuantizedWeights } from '../../graph/network.js';
import type { Arithmetic, PackedConv, Source } from '../arithmetic.js';
import { convCall, padChannels } from '../convolution.js';
import { activationRange } from '../elementwise.js';
import { nodeCall } from './nodes.js';
import type { Way } from './way.js';

/** 1.5 x 2^23: added to a float32 below 2^22, it leaves that, rounded half to even, in the low bits. */
const ROUNDER = 12582912;

/** Integers in lanes of 16 bits, their sums computed in one of several ways. */
export const lanesBy = (way: Way): Arithmetic => ({
  name: 'lanes',
  elementBytes: 2,
  packConv: (engine, node, weights, source, lanesOf) => packConv(engine, way, node, weights as QuantizedWeights, source, lanesOf),
  call: nodeCall,
});

function packConv(
  engine: Engine,
  way: Way,
  node: ConvNode,
  weights: QuantizedWeights,
  source: Source,
  lanesOf: (tensor: string) => Lanes,
): PackedConv {
  const [read, residual] = node.inputs;
  const given = lanesOf(read as string);
  const output = lanesOf(node.name);
  if (!isDepthwise(node) && typeof given.scale !== 'number' && given.unit === undefined) {
    throw new QuantizationError(
      `${node.name}: it reads a tensor with a scale per channel and no unit; fold the scales into its filter and set lanes.unit.`,
    );
  }
  const input = isDepthwise(node) ? given : { ...given, scale: unitOf(node, given, 0) };
  const ends = packEnds(engine, node, weights, input, output);
  const residualScale = residual ? scaleOf(lanesOf(residual), 0) / scaleOf(output, 0) : 0;
  const packed = way.pack(engine, node, weights, source, input, ends.bias);
  const conv = { ...packed, words: { ...ends, ...packed.words, residualScale } };
  return { call: (x, y, other) => convCall(conv, node, x, y, other) };
}

/** What turns sums into the output's steps: biases, scales, clamps. */
function packEnds(engine: Engine, node: ConvNode, weights: QuantizedWeights, input: Lanes, output: Lanes) {
  const channels = padChannels(node.channels);
  const bias = engine.allocate(channels * 4);
  const scale = engine.allocate(channels * 4);
  const gateScale = engine.allocate(channels * 4);
  engine.ints(bias, channels).fill(0).set(weights.bias);
  engine.floats(scale, channels).fill(0).set(weights.scale);
  engine.floats(gateScale, channels).fill(0);
  const sigmoid = node.activation === 'hardSigmoid';
  if (sigmoid) {
    // relu6(x + 3) / 6: the 3 goes into the bias.
    const biases = engine.ints(bias, node.channels);
    const unit = (c: number) => scaleOf(input, isDepthwise(node) ? c : 0) * (weights.scale[c] as number);
    for (let c = 0; c < node.channels; c++) biases[c] = (biases[c] as number) + Math.round(3 / unit(c));
  }
  const mark = engine.mark();
  const scalesAt = ({ scale }: Lanes): readonly [number, number] => {
    if (typeof scale === 'number') return [scale, 0];
    const pointer = engine.allocate(scale.length * 4);
    engine.floats(pointer, scale.length).set(scale);
    return [0, pointer];
  };
  engine.exports.pack_scales(scale, gateScale, node.channels, ...scalesAt(input), ...scalesAt(output), sigmoid ? 1 / 6 : 1);
  engine.release(mark);
  const [floor, ceiling] = activationRange(node.activation);
  const low = Math.max(output.low, floor);
  let high = output.high;
  if (ceiling < Number.POSITIVE_INFINITY) {
    high = 0;
    for (let c = 0; c < node.channels; c++) high = Math.max(high, Math.min(output.high, Math.round(ceiling / scaleOf(output, c))));
  }
  return { bias, scale, gateScale, low, high, highLane: high, rounder: ROUNDER, lowest: ROUNDER + low, highest: ROUNDER + high };
}
