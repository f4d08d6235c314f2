import type { Tensor } from '../../src/kernels/index.js';
import { fieldsOf, numbersOf, textOf } from '../../src/weights/onnx/protobuf.js';
import { activations, binary, conv2d, globalAveragePool, map } from '../kernels/reference.js';

// What an .onnx file that we write means, operator by operator in plain loops: nothing is shared with the writer.

type Values = Tensor & { readonly integers?: boolean };
interface Constant {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  readonly type: number;
}

const parts = (bytes: Uint8Array, number: number) => [...fieldsOf(bytes)].filter((field) => field.number === number);
const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
/** Half to even. */
const nearest = (x: number) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
/** By TensorProto.DataType. */
const READ: Record<number, (buffer: ArrayBuffer) => ArrayLike<number>> = {
  1: (buffer) => new Float32Array(buffer),
  2: (buffer) => new Uint8Array(buffer),
  3: (buffer) => new Int8Array(buffer),
  5: (buffer) => new Int16Array(buffer),
  6: (buffer) => new Int32Array(buffer),
};
const RANGES: Record<number, readonly [number, number]> = { 2: [0, 255], 3: [-128, 127], 5: [-32768, 32767] };

/** @param image [1, height, width, 3] */
export function runOnnx(bytes: Uint8Array, image: Tensor): Float32Array {
  const graph = parts(bytes, 7)[0]?.bytes as Uint8Array;
  const constants = new Map<string, Constant>();
  for (const { bytes: tensor } of parts(graph, 5)) {
    const type = parts(tensor, 2)[0]?.value as number;
    const raw = (parts(tensor, 9)[0]?.bytes as Uint8Array).slice();
    const values = (READ[type] as (typeof READ)[1])(raw.buffer as ArrayBuffer);
    constants.set(textOf(parts(tensor, 8)[0] as never), { shape: parts(tensor, 1).flatMap(numbersOf), values, type });
  }
  const tensors = new Map<string, Values>([['input', image]]);
  /** Filters and biases: [out, in, height, width] or [out]. */
  const filters = new Map<string, Constant>();
  let last = '';
  for (const { bytes: node } of parts(graph, 1)) {
    const inputs = parts(node, 1).map(textOf);
    const output = textOf(parts(node, 2)[0] as never);
    const operator = textOf(parts(node, 4)[0] as never);
    const attributes = new Map(parts(node, 5).map(({ bytes: own }) => [textOf(parts(own, 1)[0] as never), own]));
    const ints = (name: string) => parts(attributes.get(name) as Uint8Array, 8).flatMap(numbersOf);
    const x = tensors.get(inputs[0] as string) as Values;
    const scalar = (name = '') => constants.get(name)?.values[0] as number;
    const other = () => {
      const tensor = tensors.get(inputs[1] as string);
      const values = Float32Array.from(constants.get(inputs[1] as string)?.values ?? []);
      return tensor ?? { data: values, shape: [1, 1, 1, values.length] as const };
    };
    const put = (tensor: Values) => tensors.set(output, tensor);
    const channels = x?.shape[3] ?? 1;
    const [scale, zero] = [constants.get(inputs[1] as string), constants.get(inputs[2] as string)];
    const at = (constant: Constant | undefined, i: number) =>
      constant ? (constant.values[constant.values.length === 1 ? 0 : i] as number) : 0;
    const [low, high] = (RANGES[zero?.type ?? 2] ?? []) as readonly [number, number];
    const folded = constants.get(inputs[0] as string);
    last = output;
    if (operator === 'QuantizeLinear') {
      if (scale?.values.length !== 1) throw new Error(`${output}: onnxruntime's integer kernels want one scale for an activation`);
      put(withData(x, (value, i) => clamp(nearest(value / at(scale, i % channels)) + at(zero, i % channels), low, high)));
    } else if (operator === 'DequantizeLinear' && folded) {
      const each = folded.values.length / (folded.shape[0] as number);
      const real = (q: number, i: number) => (q - at(zero, Math.floor(i / each))) * at(scale, Math.floor(i / each));
      filters.set(output, { ...folded, values: Float64Array.from(folded.values, real) });
    } else if (operator === 'DequantizeLinear') put(withData(x, (q, i) => (q - at(zero, i % channels)) * at(scale, i % channels)));
    else if (operator === 'Conv') {
      const [filter, bias] = inputs.slice(1).map((name) => (filters.get(name) ?? constants.get(name)) as Constant) as [Constant, Constant];
      const [out, perGroup, height, width] = filter.shape as [number, number, number, number];
      const data = new Float32Array(filter.values.length);
      for (let o = 0, from = 0; o < out; o++)
        for (let c = 0; c < perGroup; c++)
          for (let tap = 0; tap < height * width; tap++, from++) data[(tap * perGroup + c) * out + o] = filter.values[from] as number;
      const pads = attributes.has('pads') ? ints('pads') : [0, 0, 0, 0];
      const padding = attributes.has('auto_pad') ? 'same' : ([pads[0], pads[2], pads[1], pads[3]] as [number, number, number, number]);
      const groups = parts(attributes.get('group') as Uint8Array, 3)[0]?.value ?? 1;
      const strides = ints('strides') as [number, number];
      put(conv2d(x, { data, shape: [height, width, perGroup, out] }, { bias: Float32Array.from(bias.values), padding, groups, strides }));
    } else if (operator === 'Add') put(binary(x, spread(other(), x), (a, b) => a + b));
    else if (operator === 'Mul') put(binary(x, spread(other(), x), (a, b) => a * b));
    else if (operator === 'GlobalAveragePool') put(globalAveragePool(x));
    else if (operator === 'Relu') put(map(x, activations.relu));
    else if (operator === 'HardSwish') put(map(x, activations.hardSwish));
    else if (operator === 'Sigmoid') put(map(x, (value) => 1 / (1 + Math.exp(-value))));
    else if (operator === 'HardSigmoid') put(map(x, activations.hardSigmoid));
    else if (operator === 'Clip') {
      const [from, to] = [scalar(inputs[1]) ?? Number.NEGATIVE_INFINITY, scalar(inputs[2]) ?? Number.POSITIVE_INFINITY];
      put(map(x, (value) => clamp(value, from, to)));
    } else if (operator === 'Flatten' || operator === 'Identity') put(x);
    else throw new Error(`${operator} was not expected`);
  }
  return tensors.get(last)?.data as Float32Array;
}

const withData = (x: Values, f: (value: number, i: number) => number): Values => ({ data: Float32Array.from(x.data, f), shape: x.shape });

/** One number as a value a channel. */
const spread = (value: Tensor, { shape }: Tensor): Tensor =>
  value.data.length > 1 ? value : { data: new Float32Array(shape[3]).fill(value.data[0] as number), shape: [1, 1, 1, shape[3]] };
