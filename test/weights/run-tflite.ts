import type { Tensor } from '../../src/kernels/index.js';
import { FlatBuffer, type Table } from '../../src/weights/tflite/flatbuffer.js';
import { activations, binary, conv2d, globalAveragePool, map } from '../kernels/reference.js';

// What a 16x8 .tflite file that we write means, operator by operator on real numbers, each result rounded to its tensor's steps.

const NAMES: Record<number, string> = {
  0: 'ADD',
  3: 'CONV_2D',
  4: 'DEPTHWISE_CONV_2D',
  6: 'DEQUANTIZE',
  14: 'LOGISTIC',
  18: 'MUL',
  22: 'RESHAPE',
  34: 'PAD',
  40: 'MEAN',
  55: 'MAXIMUM',
  57: 'MINIMUM',
  114: 'QUANTIZE',
};
const READ: Record<number, (buffer: ArrayBuffer) => number[]> = {
  0: (buffer) => [...new Float32Array(buffer)],
  2: (buffer) => [...new Int32Array(buffer)],
  4: (buffer) => [...new BigInt64Array(buffer)].map(Number),
  7: (buffer) => [...new Int16Array(buffer)],
  9: (buffer) => [...new Int8Array(buffer)],
};
const ACTIVATIONS = [activations.none, activations.relu, undefined, activations.relu6];
const four = (shape: readonly number[]) => [1, 1, 1, 1, ...shape].slice(-4) as [number, number, number, number];

/** @param image [1, height, width, 3] */
export function runTflite(bytes: Uint8Array, image: Tensor): Float32Array {
  const model = new FlatBuffer(bytes).root();
  const graph = model.tables(2)[0] as Table;
  const [tables, buffers] = [graph.tables(0), model.tables(4)];
  const codes = model.tables(1).map((code) => NAMES[code.i32(3)] as string);
  const scalesOf = (index: number) => tables[index]?.table(4)?.f32s(2) ?? [];
  const typeOf = (index: number) => tables[index]?.i8(1) as number;
  const computed = new Map<number, Tensor>([[graph.i32s(1)[0] as number, image]]);
  /** A constant's real values. */
  const tensor = (index: number): Tensor => {
    const known = computed.get(index);
    if (known) return known;
    const table = tables[index] as Table;
    const raw = (buffers[table.u32(2)]?.bytes(0) as Uint8Array).slice();
    const values = (READ[typeOf(index)] as (typeof READ)[0])(raw.buffer as ArrayBuffer);
    const scales = scalesOf(index);
    const shape = table.i32s(0);
    const axis = table.table(4)?.i32(6) ?? 0;
    const each = shape.slice(axis + 1).reduce((product, side) => product * side, 1);
    const scale = (i: number) =>
      scales.length === 0 ? 1 : (scales[scales.length === 1 ? 0 : Math.floor(i / each) % scales.length] as number);
    return { data: Float32Array.from(values, (q, i) => q * scale(i)), shape: four(shape) };
  };
  for (const operator of graph.tables(3)) {
    const inputs = operator.i32s(1);
    const output = operator.i32s(2)[0] as number;
    const options = operator.table(4);
    const name = codes[operator.u32(0)] as string;
    const x = tensor(inputs[0] as number);
    const put = (result: Tensor) => computed.set(output, snapped(result, scalesOf(output)));
    const activate = (field: number) => ACTIVATIONS[options?.i8(field) ?? 0] as (value: number) => number;
    const y = () => {
      const other = tensor(inputs[1] as number);
      return other.data.length > 1
        ? other
        : { data: new Float32Array(x.shape[3]).fill(other.data[0] as number), shape: four([x.shape[3]]) };
    };
    if (name === 'QUANTIZE' || name === 'DEQUANTIZE' || name === 'RESHAPE') put(x);
    else if (name === 'ADD') {
      // In 16 bits it would want powers of two otherwise.
      if (typeOf(output) === 7 && options?.i8(1, 1) !== 0) throw new Error('pot_scale_int16 must be false');
      put(
        map(
          binary(x, y(), (a, b) => a + b),
          activate(0),
        ),
      );
    } else if (name === 'MUL') put(binary(x, y(), (a, b) => a * b));
    else if (name === 'LOGISTIC') put(map(x, (value) => 1 / (1 + Math.exp(-value))));
    else if (name === 'MAXIMUM') put(binary(x, y(), Math.max));
    else if (name === 'MINIMUM') put(binary(x, y(), Math.min));
    else if (name === 'MEAN') put(globalAveragePool(x));
    else if (name === 'PAD') {
      const [, , top = 0, bottom = 0, left = 0, right = 0] = tensor(inputs[1] as number).data;
      // A convolution of one pixel with a filter of ones.
      const data = new Float32Array(x.shape[3]).fill(1);
      put(conv2d(x, { data, shape: [1, 1, 1, x.shape[3]] }, { groups: x.shape[3], padding: [top, bottom, left, right] }));
    } else {
      const depthwise = name === 'DEPTHWISE_CONV_2D';
      const [filter, bias] = [tensor(inputs[1] as number), tensor(inputs[2] as number)];
      const [a, height, width, d] = filter.shape;
      const [inputsOfOne, channels] = depthwise ? [1, d] : [d, a];
      const window = height * width * inputsOfOne;
      const data = depthwise
        ? filter.data
        : Float32Array.from(filter.data, (_, i) => filter.data[(i % channels) * window + Math.floor(i / channels)] as number);
      // A bias's scale is its input's times its filter's.
      const step = scalesOf(inputs[0] as number)[0] as number;
      scalesOf(inputs[2] as number).forEach((scale, c) => {
        expect(scale / (step * (scalesOf(inputs[1] as number)[c] as number))).toBeCloseTo(1, 5);
      });
      const strides: [number, number] = [options?.i32(2) ?? 1, options?.i32(1) ?? 1];
      const padding = options?.i8(0) === 1 ? 'valid' : 'same';
      const how = { bias: bias.data, strides, padding, groups: depthwise ? channels : 1 } as const;
      put(map(conv2d(x, { data, shape: [height, width, inputsOfOne, channels] }, how), activate(depthwise ? 4 : 3)));
    }
  }
  return computed.get(graph.i32s(2)[0] as number)?.data as Float32Array;
}

function snapped(tensor: Tensor, [scale]: readonly number[]): Tensor {
  if (scale === undefined) return tensor;
  return map(tensor, (value) => Math.min(Math.max(Math.round(value / scale), -32768), 32767) * scale);
}
