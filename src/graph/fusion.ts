import { activationFor, clampOf, clampOfActivation, compose, isIdentity, isLine, near, nodeOf } from './clamp.js';
import { Draft } from './draft.js';
import { type ConvNode, INPUT, isDepthwise, type Node } from './graph.js';
import type { FloatWeights, Network } from './network.js';

/*
 * Converters spell a network in many ways: batch norms and biases as products and sums, h-swish and h-sigmoid as sums, clamps
 * and products with all sorts of numbers. Each rewrite takes a node of a float network and, where it knows a shorter spelling,
 * puts it there; what is computed stays the same. They run once, at load, until none finds anything to do.
 *
 * A value a channel, y = gain[c] * x + offset[c], is a depthwise convolution of one pixel: that runs as it is where nothing
 * takes it up.
 */

type Rewrite = (draft: Draft, node: Node) => boolean;

/** Rewrites of rewrites come to an end long before. */
const MOST_PASSES = 50;

export function fuse(network: Network): Network {
  const draft = new Draft(network);
  const rewrites: Rewrite[] = [
    composeClamps,
    clampIntoConv,
    hardSwishOfProduct,
    activationIntoProducer,
    channelsIntoProducer,
    channelsIntoReader,
    channelsOfImage,
    residualIntoConv,
  ];
  for (let before = -1, pass = 0; before !== draft.changes && pass < MOST_PASSES; pass++) {
    before = draft.changes;
    for (const node of draft) for (const rewrite of rewrites) if (draft.node(node.name) !== node || rewrite(draft, node)) break;
  }
  return draft.finish();
}

const isPointwise = (node: ConvNode) => node.kernel[0] * node.kernel[1] * node.strides[0] * node.strides[1] === 1;
const isChannelwise = (node: Node): node is ConvNode =>
  node.kind === 'conv' && isDepthwise(node) && isPointwise(node) && node.inputs.length === 1;
const isUnpadded = ({ padding, kernel }: ConvNode) =>
  padding === 'valid' || kernel[0] * kernel[1] === 1 || (typeof padding !== 'string' && padding.every((side) => side === 0));
const all = (values: Float32Array, value: number): boolean => {
  for (let i = 0; i < values.length; i++) if (values[i] !== value) return false;
  return true;
};

/** A clamp of a clamp is one; one that changes nothing is none. */
const composeClamps: Rewrite = (draft, node) => {
  const own = clampOf(node);
  if (!own) return false;
  const producer = draft.soleProducer(node.inputs[0]);
  const inner = producer && clampOf(producer);
  if (inner) {
    draft.replace(node, { ...nodeOf(compose(own, inner)), name: node.name, inputs: producer.inputs });
    return true;
  }
  const before = draft.changes;
  if (isIdentity(own)) draft.bypass(node);
  return draft.changes !== before;
};

/** relu, relu6, h-sigmoid of any slope, and products and sums with a number, after a convolution. */
const clampIntoConv: Rewrite = (draft, node) => {
  const conv = draft.soleProducer(node.inputs[0]);
  const own = clampOf(node);
  const inner = conv?.kind === 'conv' ? clampOfActivation(conv.activation) : undefined;
  if (!own || conv?.kind !== 'conv' || !inner) return false;
  const wanted = activationFor(compose(own, inner));
  if (!wanted) return false;
  const { activation, scale, offset } = wanted;
  const plain = scale === 1 && offset === 0;
  if (conv.inputs.length > 1 && (!plain || activation === 'hardSigmoid')) return false;
  // What h-sigmoid takes its input by is known already where the convolution has one.
  const weights = draft.weightsOf(conv);
  draft.absorb(conv, node, { activation }, plain ? weights : scaled(weights, scale, offset));
  return true;
};

function scaled({ filter, bias }: FloatWeights, scale: number, offset: number): FloatWeights {
  const result = { filter: new Float32Array(filter), bias: new Float32Array(bias) };
  if (scale !== 1) for (let i = 0; i < filter.length; i++) result.filter[i] = (filter[i] as number) * scale;
  for (let c = 0; c < bias.length; c++) result.bias[c] = (bias[c] as number) * scale + offset;
  return result;
}

/** x * clamp(alpha * x + 0.5, 0, 1) is h-swish of 6 alpha x, up to a factor. */
const hardSwishOfProduct: Rewrite = (draft, node) => {
  if (node.kind !== 'multiply') return false;
  const factor = (name: string | undefined) => {
    const maker = draft.node(name);
    const f = maker && clampOf(maker);
    return f && maker ? { base: maker.inputs[0] as string, f } : undefined;
  };
  const [a, b] = node.inputs as [string, string];
  const line = { alpha: 1, beta: 0, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  for (const [x, gate] of [
    [a, b],
    [b, a],
  ] as const) {
    const clamped = factor(gate);
    if (!clamped) continue;
    const scaled = x === clamped.base ? { base: x, f: line } : factor(x);
    if (!scaled || scaled.base !== clamped.base || !isLine(scaled.f) || scaled.f.beta !== 0) continue;
    const { alpha, beta, low, high } = clamped.f;
    if (low !== 0 || !Number.isFinite(high) || !near(beta / high, 0.5, 1e-3)) continue;
    const slope = (6 * alpha) / high;
    const total = (scaled.f.alpha * high) / slope;
    if (!(Math.abs(slope) > 0)) continue;
    const input = clamped.base;
    if (near(slope, 1) && near(total, 1))
      draft.replace(node, { kind: 'activation', name: node.name, inputs: [input], activation: 'hardSwish' });
    else {
      draft.replace(node, { kind: 'affine', name: node.name, inputs: [input], alpha: total, beta: 0 });
      const now = draft.node(node.name) as Node;
      draft.insertBefore(now, 0, { kind: 'activation', name: ' swish', inputs: [input], activation: 'hardSwish' });
      const swish = draft.node((draft.node(node.name) as Node).inputs[0]) as Node;
      if (!near(slope, 1)) draft.insertBefore(swish, 0, { kind: 'affine', name: ' slope', inputs: [input], alpha: slope, beta: 0 });
    }
    return true;
  }
  return false;
};

/** h-swish after a convolution; relu and relu6 after a sum. */
const activationIntoProducer: Rewrite = (draft, node) => {
  if (node.kind !== 'activation') return false;
  const producer = draft.soleProducer(node.inputs[0]);
  const conv =
    producer?.kind === 'conv' && producer.activation === 'none' && producer.inputs.length === 1 && node.activation === 'hardSwish';
  const sum = producer?.kind === 'add' && producer.activation === 'none' && (node.activation === 'relu' || node.activation === 'relu6');
  if (!producer || (!conv && !sum)) return false;
  draft.absorb(producer, node, { activation: node.activation });
  return true;
};

/** Batch norms, biases and scales after a convolution, or after a sum of one. */
const channelsIntoProducer: Rewrite = (draft, node) => {
  if (!isChannelwise(node)) return false;
  const { filter: gain, bias: offset } = draft.weightsOf(node);
  const producer = draft.soleProducer(node.inputs[0]);
  if (producer?.kind === 'conv' && producer.activation === 'none' && (producer.inputs.length === 1 || all(gain, 1))) {
    draft.absorb(producer, node, { activation: node.activation }, scaleOutputs(draft.weightsOf(producer), gain, offset));
    return true;
  }
  if (producer?.kind !== 'add' || producer.activation !== 'none' || !all(gain, 1)) return false;
  if (node.activation === 'hardSwish' || node.activation === 'hardSigmoid') return false;
  const conv = summand(draft, producer);
  if (!conv) return false;
  draft.setWeights(conv, scaleOutputs(draft.weightsOf(conv), gain, offset));
  draft.absorb(producer, node, { activation: node.activation });
  return true;
};

/** A convolution that does nothing but go into a sum, or into a sum in it. */
function summand(draft: Draft, sum: Node): ConvNode | undefined {
  for (const name of sum.inputs) {
    const node = draft.soleProducer(name);
    if (node?.kind === 'conv' && node.activation === 'none') return node;
    const inner = node?.kind === 'add' && node.activation === 'none' ? summand(draft, node) : undefined;
    if (inner) return inner;
  }
  return undefined;
}

/** What comes before a convolution that sees no zeros of its own making. */
const channelsIntoReader: Rewrite = (draft, node) => {
  if (node.kind !== 'conv') return false;
  const producer = draft.soleProducer(node.inputs[0]);
  if (!producer || producer.inputs[0] === INPUT) return false;
  const f = clampOf(producer);
  const channels = isChannelwise(producer) && producer.activation === 'none' && !isChannelwise(node);
  if (!(f && isLine(f)) && !channels) return false;
  const { filter: gain, bias: offset } = channels
    ? draft.weightsOf(producer as ConvNode)
    : { filter: new Float32Array(node.inputChannels).fill(f?.alpha ?? 1), bias: new Float32Array(node.inputChannels).fill(f?.beta ?? 0) };
  if (!isUnpadded(node) && !all(offset, 0)) return false;
  const inputs = [producer.inputs[0] as string, ...node.inputs.slice(1)];
  draft.replace(node, { ...node, inputs }, scaleInputs(node, draft.weightsOf(node), gain, offset));
  return true;
};

/** A value a channel of the image itself is part of its preprocessing; one value for all channels is arithmetic. */
const channelsOfImage: Rewrite = (draft, node) => {
  if (!isChannelwise(node) || node.inputs[0] !== INPUT || node.activation !== 'none') return false;
  const { filter: gain, bias: offset } = draft.weightsOf(node);
  const [alpha, beta] = [gain[0] as number, offset[0] as number];
  if (all(gain, alpha) && all(offset, beta)) {
    draft.replace(node, { kind: 'affine', name: node.name, inputs: [INPUT], alpha, beta });
    return true;
  }
  if (!draft.soleReaderOfImage() || gain.some((g) => !(g > 0))) return false;
  draft.setPreprocessing(({ mean, std, ...rest }) => ({
    ...rest,
    // gain * (v - mean) / std + offset
    mean: mean.map((m, c) => m - ((offset[c] as number) * (std[c] as number)) / (gain[c] as number)) as [number, number, number],
    std: std.map((s, c) => s / (gain[c] as number)) as [number, number, number],
  }));
  draft.bypass(node);
  return true;
};

/** A residual is added where the projection's sums still are in registers. */
const residualIntoConv: Rewrite = (draft, node) => {
  if (node.kind !== 'add' || node.inputs[0] === node.inputs[1]) return false;
  if (node.activation !== 'none' && node.activation !== 'relu' && node.activation !== 'relu6') return false;
  for (const [mine, other] of [
    [0, 1],
    [1, 0],
  ] as const) {
    const conv = draft.soleProducer(node.inputs[mine]);
    if (conv?.kind !== 'conv' || conv.groups !== 1 || !isPointwise(conv) || conv.activation !== 'none' || conv.inputs.length !== 1)
      continue;
    draft.absorb(conv, node, { inputs: [conv.inputs[0] as string, node.inputs[other] as string], activation: node.activation });
    return true;
  }
  return false;
};

/** gain[o] * y + offset[o] after a convolution. */
export function scaleOutputs({ filter, bias }: FloatWeights, gain: ArrayLike<number>, offset: ArrayLike<number>): FloatWeights {
  const channels = bias.length;
  const result = { filter: new Float32Array(filter.length), bias: new Float32Array(channels) };
  for (let i = 0, c = 0; i < filter.length; i++) {
    result.filter[i] = (filter[i] as number) * (gain[c] as number);
    if (++c === channels) c = 0;
  }
  for (let c = 0; c < channels; c++) result.bias[c] = (bias[c] as number) * (gain[c] as number) + (offset[c] as number);
  return result;
}

/** A convolution of gain[i] * x + offset[i]. */
function scaleInputs(node: ConvNode, { filter, bias }: FloatWeights, gain: Float32Array, offset: Float32Array): FloatWeights {
  const { channels } = node;
  const inputs = node.inputChannels / node.groups;
  const depthwise = isDepthwise(node);
  const sums = Float64Array.from(bias);
  const result = new Float32Array(filter.length);
  for (let i = 0, c = 0, row = 0; i < filter.length; i++) {
    const input = depthwise ? c : row % inputs;
    const w = filter[i] as number;
    result[i] = w * (gain[input] as number);
    sums[c] = (sums[c] as number) + w * (offset[input] as number);
    if (++c === channels) {
      c = 0;
      row++;
    }
  }
  return { filter: result, bias: new Float32Array(sums) };
}
