import { type ConvNode, isCurve, isDepthwise, type Node } from '../../src/graph/graph.js';
import { GATE_LANES, type Lanes, scaleOf, unitOf } from '../../src/graph/lanes.js';
import { type FloatWeights, isQuantized, type QuantizedWeights } from '../../src/graph/network.js';
import type { QTensor, Tensor } from '../../src/kernels/index.js';
import type { Piece } from '../../src/kernels/runner.js';
import { activations, clamp, convolve, make, nearest, read, scaledHardSwish, sigmoidInSteps } from './reference.js';

// Pieces of networks once more as plain loops, node by node: real numbers, or lanes of 16 bits, each step of which is one float32
// operation.

const f = Math.fround;
const CEILINGS: Record<string, number> = { relu6: 6, hardSigmoid: 1 };
const ceilingOf = (activation: string) => CEILINGS[activation] ?? Number.POSITIVE_INFINITY;
const isClamp = (activation: string) => activation !== 'none' && activation !== 'hardSwish';

/** The value of every tensor of a piece: lanes where it has lanes. */
export function evaluate({ nodes, weights = new Map(), lanes = new Map(), inputs, output }: Piece): Tensor {
  const values = new Map<string, Tensor>();
  for (const [name, tensor] of inputs)
    values.set(name, tensor.data instanceof Float32Array ? (tensor as Tensor) : lanesOf(tensor as QTensor));
  const isReal = new Set([...inputs].filter(([, { data }]) => data instanceof Float32Array).map(([name]) => name));
  for (const node of nodes) {
    const own = weights.get(node.name);
    const onLanes = own ? isQuantized(own) : [node.name, ...node.inputs].every((name) => lanes.has(name));
    const operands = node.inputs.map((name) => {
      const value = values.get(name) as Tensor;
      if (isReal.has(name) === !onLanes) return value;
      const of = lanes.get(name) as Lanes;
      return onLanes ? quantize(value, of) : dequantize(value, of);
    });
    if (!onLanes) isReal.add(node.name);
    values.set(
      node.name,
      onLanes ? onIntegers(node, own as QuantizedWeights, operands, lanes) : onReals(node, own as FloatWeights, operands),
    );
  }
  const value = values.get(output) as Tensor;
  return isReal.has(output) ? value : dequantize(value, lanes.get(output) as Lanes);
}

const each = (x: Tensor, of: (value: number, n: number, y: number, x: number, c: number) => number): Tensor =>
  make(x.shape, (n, y, col, c) => of(read(x, n, y, col, c), n, y, col, c));
const other = (b: Tensor, n: number, y: number, x: number, c: number) =>
  b.shape[1] * b.shape[2] === 1 ? read(b, n, 0, 0, c) : read(b, n, y, x, c);

const lanesOf = (x: QTensor): Tensor => {
  const channels = x.shape[3];
  const point = (c: number) => (typeof x.zeroPoint === 'number' ? x.zeroPoint : (x.zeroPoint[c] as number));
  return { data: Float32Array.from(x.data, (q, i) => q - point(i % channels)), shape: x.shape };
};
const quantize = (x: Tensor, lanes: Lanes) =>
  each(x, (value, _n, _y, _x, c) => (Number.isNaN(value) ? 0 : clamp(nearest(f(value * f(1 / scaleOf(lanes, c)))), lanes.low, lanes.high)));
const dequantize = (x: Tensor, lanes: Lanes) => each(x, (value, _n, _y, _x, c) => f(value * f(scaleOf(lanes, c))));

function sums(node: ConvNode, x: Tensor, filter: ArrayLike<number>, zeroPoint: number, finish: (sum: number, c: number) => number): Tensor {
  const { kernel, inputChannels, groups, channels, strides, padding } = node;
  const perGroup = inputChannels / groups;
  return convolve(
    x,
    { shape: [...kernel, perGroup, channels] },
    { strides, padding, groups },
    (n, y, col, c) => read(x, n, y, col, c),
    (ky, kx, c, o) => (filter[((ky * kernel[1] + kx) * perGroup + c) * channels + o] as number) - zeroPoint,
    finish,
  );
}

/** The mean over all pixels before `finish`. */
function pool(x: Tensor, finish: (sum: number, pixels: number, c: number) => number): Tensor {
  const [n, h, w, channels] = x.shape;
  return make([n, 1, 1, channels], (image, _y, _x, c) => {
    let sum = 0;
    for (let y = 0; y < h; y++) for (let col = 0; col < w; col++) sum += read(x, image, y, col, c);
    return finish(sum, h * w, c);
  });
}

function onReals(node: Node, weights: FloatWeights, [x, b]: Tensor[]): Tensor {
  const a = x as Tensor;
  switch (node.kind) {
    case 'conv': {
      const all = sums(node, a, weights.filter, 0, (sum, c) => sum + (weights.bias[c] as number));
      return each(all, (sum, ...at) => activations[node.activation](sum + (b ? other(b, ...at) : 0)));
    }
    case 'affine':
      return each(a, (v) => clamp(node.alpha * v + node.beta, node.low ?? Number.NEGATIVE_INFINITY, node.high ?? Number.POSITIVE_INFINITY));
    case 'add':
      return each(a, (v, ...at) => activations[node.activation](v + other(b as Tensor, ...at)));
    case 'multiply':
      return each(a, (v, ...at) => v * other(b as Tensor, ...at));
    case 'globalAveragePool':
      return pool(a, (sum, pixels) => sum / pixels);
    default:
      return each(a, (v) => activations[node.activation](v));
  }
}

function onIntegers(node: Node, weights: QuantizedWeights, [x, b]: Tensor[], lanes: ReadonlyMap<string, Lanes>): Tensor {
  const a = x as Tensor;
  const [input, second] = node.inputs.map((name) => lanes.get(name) as Lanes) as [Lanes, Lanes];
  const output = lanes.get(node.name) as Lanes;
  const step = (c: number) => scaleOf(output, c);
  const stored = (y: number, low = output.low, high = output.high) => clamp(nearest(y), low, Math.min(high, output.high));
  switch (node.kind) {
    case 'conv': {
      const { activation } = node;
      const unit = (c: number) => unitOf(node, input, isDepthwise(node) ? c : 0) * (weights.scale[c] as number);
      const isSigmoid = activation === 'hardSigmoid';
      const bias = (c: number) => (weights.bias[c] as number) + (isSigmoid ? Math.round(3 / unit(c)) : 0);
      const all = sums(node, a, weights.filter, weights.zeroPoint, (sum, c) => f(sum + bias(c)));
      let ceiling = 0;
      for (let c = 0; c < node.channels; c++) ceiling = Math.max(ceiling, Math.round(ceilingOf(activation) / step(c)));
      return each(all, (sum, n, y, col, c) => {
        const scale = f((f(unit(c)) * (isSigmoid ? 1 / 6 : 1)) / step(c));
        const product = activation === 'hardSwish' ? scaledHardSwish(sum, scale, f(scale * (unit(c) / 6))) : f(sum * scale);
        const added = b ? f(product + f(other(b, n, y, col, c) * f(scaleOf(second, 0) / step(0)))) : product;
        return stored(added, isClamp(activation) ? Math.max(output.low, 0) : output.low, ceiling);
      });
    }
    case 'affine': {
      const offset = node.beta === 0 ? 0 : f(node.beta / step(0));
      const low = node.low === undefined ? output.low : Math.max(output.low, Math.round(node.low / step(0)));
      const high = node.high === undefined ? output.high : Math.round(node.high / step(0));
      return each(a, (v, _n, _y, _x, c) => stored(f(f(v * f((node.alpha * scaleOf(input, c)) / step(c))) + offset), low, high));
    }
    case 'add': {
      const [low, high] = isClamp(node.activation) ? [Math.max(output.low, 0), Math.round(ceilingOf(node.activation) / step(0))] : [];
      return each(a, (v, n, y, col, c) => {
        const [left, right] = [
          f(v * f(scaleOf(input, c) / step(c))),
          f(other(b as Tensor, n, y, col, c) * f(scaleOf(second, c) / step(c))),
        ];
        return stored(f(left + right), low, high);
      });
    }
    case 'multiply':
      return each(a, (v, n, y, col, c) => {
        const factor = other(b as Tensor, n, y, col, c);
        if (second.scale === GATE_LANES.scale) return Math.floor((v * factor + 2 ** 14) / 2 ** 15);
        return stored(f(f(v * factor) * f((scaleOf(input, c) * scaleOf(second, c)) / step(c))));
      });
    case 'globalAveragePool':
      return pool(a, (sum, pixels, c) => stored(f(f(sum) * f(scaleOf(input, c) / step(c) / pixels))));
    default: {
      const ratio = (c: number) => f(scaleOf(input, c) / step(c));
      if (node.activation === 'hardSwish') {
        return each(a, (v, _n, _y, _x, c) => stored(scaledHardSwish(v, ratio(c), f(scaleOf(input, c) ** 2 / 6 / step(c)))));
      }
      if (isCurve(node.activation)) {
        const isSwish = node.activation === 'swish';
        return each(a, (v, _n, _y, _x, c) =>
          stored(f(sigmoidInSteps(f(v * f(scaleOf(input, c)))) * (isSwish ? f(v * ratio(c)) : f(1 / step(c))))),
        );
      }
      const isSigmoid = node.activation === 'hardSigmoid';
      const [factor, offset] = isSigmoid ? [1 / 6, f(0.5 / step(0))] : [1, 0];
      const [low, high] = [Math.max(output.low, 0), Math.round(ceilingOf(node.activation) / step(0))];
      return each(a, (v, _n, _y, _x, c) => stored(f(f(v * f((factor * scaleOf(input, c)) / step(c))) + offset), low, high));
    }
  }
}
