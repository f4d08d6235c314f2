import { type Activation, type Curve, INPUT, isDepthwise, type Node, resolvePadding } from '../../src/graph/graph.js';
import type { FloatWeights, Network, Weights } from '../../src/graph/network.js';

// What a float network means, node by node, as plain loops in double precision.

export interface Values {
  readonly shape: readonly [height: number, width: number, channels: number];
  readonly data: readonly number[];
}

const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
const ACTIVATIONS: Record<Activation | Curve, (x: number) => number> = {
  none: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => clamp(x, 0, 6),
  hardSigmoid: (x) => clamp(x + 3, 0, 6) / 6,
  hardSwish: (x) => (x * clamp(x + 3, 0, 6)) / 6,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  swish: (x) => x / (1 + Math.exp(-x)),
};

function convolve(node: Extract<Node, { kind: 'conv' }>, { filter, bias }: FloatWeights, x: Values): Values {
  const [height, width, channels] = x.shape;
  const [top, bottom, left, right] = resolvePadding(node.padding, [height, width], node.kernel, node.strides);
  const rows = Math.floor((height + top + bottom - node.kernel[0]) / node.strides[0]) + 1;
  const columns = Math.floor((width + left + right - node.kernel[1]) / node.strides[1]) + 1;
  const perGroup = node.inputChannels / node.groups;
  const data: number[] = [];
  for (let y = 0; y < rows; y++) {
    for (let c = 0; c < columns; c++) {
      for (let o = 0; o < node.channels; o++) {
        let sum = bias[o] as number;
        for (let ky = 0; ky < node.kernel[0]; ky++) {
          for (let kx = 0; kx < node.kernel[1]; kx++) {
            const [row, column] = [y * node.strides[0] - top + ky, c * node.strides[1] - left + kx];
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            for (let i = 0; i < perGroup; i++) {
              const value = x.data[(row * width + column) * channels + (isDepthwise(node) ? o : i)] as number;
              sum += value * (filter[((ky * node.kernel[1] + kx) * perGroup + i) * node.channels + o] as number);
            }
          }
        }
        data.push(sum);
      }
    }
  }
  return { shape: [rows, columns, node.channels], data };
}

/** Every tensor of a network for an image, which is given as it was before its preprocessing: 0 to 255. */
export function interpret(network: Network, image: Values): Map<string, Values> {
  const { mean, std } = network.preprocessing;
  const data = image.data.map((v, i) => (v / 255 - (mean[i % 3] as number)) / (std[i % 3] as number));
  return follow(network.graph.nodes, network.weights, { [INPUT]: { shape: image.shape, data } });
}

/** Every tensor that nodes make of some inputs. */
export function follow(
  nodes: readonly Node[],
  weights: ReadonlyMap<string, Weights>,
  inputs: Readonly<Record<string, Values>>,
): Map<string, Values> {
  const tensors = new Map(Object.entries(inputs));
  for (const node of nodes) {
    const [a, b] = node.inputs.map((name) => tensors.get(name)) as [Values, Values | undefined];
    const each = (f: (x: number, i: number) => number): Values => ({ shape: a.shape, data: a.data.map(f) });
    const other = (tensor: Values, i: number) => tensor.data[i % tensor.data.length] as number; // [1, 1, c] goes with every pixel
    let result: Values;
    if (node.kind === 'conv') {
      const sums = convolve(node, weights.get(node.name) as FloatWeights, a);
      result = { ...sums, data: sums.data.map((x, i) => ACTIVATIONS[node.activation](x + (b ? other(b, i) : 0))) };
    } else if (node.kind === 'activation') result = each(ACTIVATIONS[node.activation]);
    else if (node.kind === 'affine')
      result = each((x) => clamp(node.alpha * x + node.beta, node.low ?? Number.NEGATIVE_INFINITY, node.high ?? Number.POSITIVE_INFINITY));
    else if (node.kind === 'add') result = each((x, i) => ACTIVATIONS[node.activation](x + other(b as Values, i)));
    else if (node.kind === 'multiply') result = each((x, i) => x * other(b as Values, i));
    else {
      const [height, width, channels] = a.shape;
      const data = Array.from({ length: channels }, (_, c) => a.data.reduce((sum, x, i) => sum + (i % channels === c ? x : 0), 0));
      result = { shape: [1, 1, channels], data: data.map((sum) => sum / (height * width)) };
    }
    tensors.set(node.name, result);
  }
  return tensors;
}
