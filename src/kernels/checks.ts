import { QuantizationError, ShapeError } from '../errors.js';
import { type Activation, type ConvNode, isDepthwise } from '../graph/graph.js';
import type { ConvOptions, QFilter, QTensor, QuantParams, Tensor } from './types.js';

// What was given, what was expected: every kernel checks its operands here before any memory is touched.

const ACTIVATIONS: readonly Activation[] = ['none', 'relu', 'relu6', 'hardSwish', 'hardSigmoid'];
/** No tensor may have more values: 2^28 float32 are a gibibyte, all that the memory may grow to. */
const LARGEST_TENSOR = 2 ** 28;

/** Checks that a tensor's shape is four whole numbers above zero whose product is its length. */
export function checkTensor(what: string, tensor: { readonly data: ArrayLike<number>; readonly shape: readonly number[] }): void {
  const { data, shape } = tensor ?? {};
  if (!Array.isArray(shape) || shape.length !== 4 || !shape.every((side) => Number.isInteger(side) && side > 0)) {
    throw new ShapeError(`${what}: a shape must be four whole numbers above 0, [n, h, w, c]; got [${shape}].`);
  }
  const size = shape.reduce((product, side) => product * side, 1);
  if (size > LARGEST_TENSOR)
    throw new ShapeError(`${what}: a tensor may hold at most ${LARGEST_TENSOR} values; got [${shape}], which is ${size}.`);
  if (data?.length !== size) throw new ShapeError(`${what}: shape [${shape}] needs ${size} values; got ${data?.length}.`);
}

export function checkFloat(what: string, tensor: Tensor): void {
  checkTensor(what, tensor);
  if (!(tensor.data instanceof Float32Array)) throw new ShapeError(`${what}: the data of a float tensor must be a Float32Array.`);
}

/** The data type of a quantized tensor's values. */
export function dtypeOf(what: string, data: Int8Array | Uint8Array): QuantParams['dtype'] {
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint8Array) return 'uint8';
  throw new QuantizationError(`${what}: quantized data must be an Int8Array or a Uint8Array.`);
}

const entries = (values: number | ArrayLike<number>) => (typeof values === 'number' ? [values] : Array.from(values));

/** Checks scales and zero points: one, or one a channel. */
export function checkParams(what: string, { dtype, scale, zeroPoint }: QuantParams, channels: number): void {
  if (dtype !== 'int8' && dtype !== 'uint8') throw new QuantizationError(`${what}: dtype must be 'int8' or 'uint8'; got '${dtype}'.`);
  const [scales, points] = [entries(scale), entries(zeroPoint)];
  for (const [name, { length }, array] of [
    ['scale', scales, scale],
    ['zeroPoint', points, zeroPoint],
  ] as const) {
    if (typeof array !== 'number' && length !== channels) {
      throw new QuantizationError(`${what}: ${name} needs one entry for each of the ${channels} channels; got ${length}.`);
    }
  }
  const unsound = scales.find((s) => !(s > 0 && Number.isFinite(Math.fround(s)) && Math.fround(s) > 0));
  if (unsound !== undefined) throw new QuantizationError(`${what}: a scale must be a finite float32 above 0; got ${unsound}.`);
  const [lowest, highest] = dtype === 'int8' ? [-128, 127] : [0, 255];
  const outside = points.find((z) => !(Number.isInteger(z) && z >= lowest && z <= highest));
  if (outside !== undefined) {
    throw new QuantizationError(`${what}: a zero point of ${dtype} must be a whole number from ${lowest} to ${highest}; got ${outside}.`);
  }
}

export function checkQuantized(what: string, tensor: QTensor): void {
  checkTensor(what, tensor);
  const { data, scale, zeroPoint, shape } = tensor;
  checkParams(what, { dtype: dtypeOf(what, data), scale, zeroPoint }, shape[3]);
}

export function checkSameShape(what: string, a: Tensor | QTensor, b: Tensor | QTensor, perChannel: boolean): void {
  const [n, , , c] = a.shape;
  const same = a.shape.every((side, i) => side === b.shape[i]);
  const broadcast = perChannel && b.shape[0] === n && b.shape[1] === 1 && b.shape[2] === 1 && b.shape[3] === c;
  if (same || broadcast) return;
  const expected = perChannel ? `[${a.shape}] or [${[n, 1, 1, c]}]` : `[${a.shape}]`;
  throw new ShapeError(`${what}: the shape of the second operand must be ${expected}; got [${b.shape}].`);
}

/** A convolution's options and filter as a node of a graph. */
export function convNode(what: string, channelsIn: number, filter: Tensor | QFilter, options: ConvOptions): ConvNode {
  checkTensor(`${what}: filter`, filter);
  const [kernelHeight, kernelWidth, perGroup, channels] = filter.shape;
  const { bias, strides = [1, 1], padding = 'same', groups = 1, activation = 'none' } = options;
  if (groups !== 1 && groups !== channelsIn) {
    throw new ShapeError(`${what}: groups must be 1, or ${channelsIn}, the input channels, for a depthwise convolution; got ${groups}.`);
  }
  if (perGroup * groups !== channelsIn) {
    throw new ShapeError(
      `${what}: the filter expects ${perGroup * groups} input channels (${perGroup} x ${groups} groups), the tensor has ${channelsIn}.`,
    );
  }
  if (groups > 1 && channels !== groups) {
    throw new ShapeError(`${what}: the shape of a depthwise filter must be [kh, kw, 1, ${groups}]; got [${filter.shape}].`);
  }
  if (bias && bias.length !== channels)
    throw new ShapeError(`${what}: bias needs one value for each of the ${channels} output channels; got ${bias.length}.`);
  if (strides.length !== 2 || !strides.every((s) => Number.isInteger(s) && s > 0 && s < 2 ** 16)) {
    throw new ShapeError(`${what}: strides must be two whole numbers from 1 to 65,535; got [${strides}].`);
  }
  const sides: readonly number[] | undefined = typeof padding === 'string' ? undefined : padding;
  const soundSides = sides?.length === 4 && sides.every((p) => Number.isInteger(p) && p >= 0 && p < 2 ** 16);
  if (sides ? !soundSides : padding !== 'same' && padding !== 'valid') {
    throw new ShapeError(`${what}: padding must be 'same', 'valid' or [top, bottom, left, right]; got ${JSON.stringify(padding)}.`);
  }
  if (!ACTIVATIONS.includes(activation)) {
    throw new ShapeError(`${what}: activation must be one of ${ACTIVATIONS.join(', ')}; got ${JSON.stringify(activation)}.`);
  }
  return {
    kind: 'conv',
    name: what,
    inputs: [],
    kernel: [kernelHeight, kernelWidth],
    strides: [strides[0], strides[1]],
    padding,
    inputChannels: channelsIn,
    channels,
    groups,
    activation,
  };
}

/** Depthwise convolutions may have an input scale a channel; others need one for the tensor. */
export function checkConvInput(what: string, node: ConvNode, input: QTensor): void {
  if (!isDepthwise(node) && typeof input.scale !== 'number') {
    throw new QuantizationError(`${what}: only a depthwise convolution reads a tensor with a scale per channel; give the input one scale.`);
  }
}
