import { Builder, type Offset } from 'flatbuffers';
import type { Activation } from '../../graph/graph.js';

// A .tflite file, table by table. Field numbers are those of TensorFlow Lite's schema.fbs.

/** TensorType */
export const TYPES = { float32: 0, int32: 2, int64: 4, int16: 7, int8: 9 } as const;
const CODES = {
  ADD: 0,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  LOGISTIC: 14,
  MUL: 18,
  RESHAPE: 22,
  PAD: 34,
  MEAN: 40,
  MAXIMUM: 55,
  MINIMUM: 57,
  QUANTIZE: 114,
};
/** Number in the union BuiltinOptions. */
const OPTIONS: Partial<Record<OperatorName, number>> = {
  ADD: 11,
  CONV_2D: 1,
  DEPTHWISE_CONV_2D: 2,
  MUL: 21,
  RESHAPE: 17,
  PAD: 22,
  MEAN: 27,
};
const VERSION = 3;

export type OperatorName = keyof typeof CODES;
/** Of an operator's options, by number: its kind, its value, and what it is where it is left out. */
export type Fields = Readonly<Record<number, readonly [kind: 'i8' | 'i32', value: number, otherwise?: number]>>;

/** Padding */
export const SAME = 0;
export const VALID = 1;

type Pair = readonly [height: number, width: number];
const sides = (padding: number, strides: Pair): Fields => ({ 0: ['i8', padding], 1: ['i32', strides[1]], 2: ['i32', strides[0]] });

/** What a convolution or an addition ends with, in the format's numbers; others are operators of their own. */
export const FUSED: Readonly<Record<Activation, number>> = { none: 0, relu: 1, relu6: 3, hardSwish: 0, hardSigmoid: 0 };
/** AddOptions.pot_scale_int16 is true where it is left out: scales would have to be powers of two. */
export const anyScale = (activation: number): Fields => ({ 0: ['i8', activation], 1: ['i8', 0, 1] });

/** Conv2DOptions and DepthwiseConv2DOptions; @param activation that is fused */
export const dense = (padding: number, strides: Pair, activation: number): Fields => ({
  ...sides(padding, strides),
  3: ['i8', activation],
  4: ['i32', 1, 1],
  5: ['i32', 1, 1],
});
export const depthwise = (padding: number, strides: Pair, activation: number): Fields => ({
  ...sides(padding, strides),
  3: ['i32', 1],
  4: ['i8', activation],
  5: ['i32', 1, 1],
  6: ['i32', 1, 1],
});

export interface TensorSpec {
  readonly name: string;
  readonly type: keyof typeof TYPES;
  readonly shape: readonly number[];
  /** Left out for what is computed. */
  readonly values?: ArrayBufferView;
  /** real = scale * q, one for the tensor or one along an axis. */
  readonly scales?: ArrayLike<number>;
  readonly axis?: number;
}

export class TfliteFile {
  private readonly builder = new Builder(1 << 20);
  private readonly tensors: TensorSpec[] = [];
  private readonly operators: { name: OperatorName; inputs: readonly number[]; output: number; fields: Fields }[] = [];

  /** @returns its number */
  tensor(spec: TensorSpec): number {
    return this.tensors.push(spec) - 1;
  }

  /** @returns the number of its output */
  operator(name: OperatorName, inputs: readonly number[], output: TensorSpec, fields: Fields = {}): number {
    const number = this.tensor(output);
    this.operators.push({ name, inputs, output: number, fields });
    return number;
  }

  bytes(input: number, output: number): Uint8Array {
    const { builder } = this;
    const names = [...new Set(this.operators.map(({ name }) => name))];
    const buffers = this.tensors.map(({ values }) => this.table(1, values ? { 0: this.vector(bytesOf(values), 16) } : {}));
    const tensors = this.tensors.map((tensor, index) => this.encoded(tensor, index));
    const operators = this.operators.map(({ name, inputs, output, fields }) => {
      const [from, to] = [this.int32s(inputs), this.int32s([output])];
      const union = OPTIONS[name];
      const options = union === undefined ? undefined : this.table(9, {}, fields);
      const scalars: Fields = { 0: ['i32', names.indexOf(name)], ...(union === undefined ? {} : { 3: ['i8', union] }) };
      return this.table(5, { 1: from, 2: to, ...(options === undefined ? {} : { 4: options }) }, scalars);
    });
    const codes = names.map((name) => this.table(4, {}, { 0: ['i8', CODES[name]], 2: ['i32', 1], 3: ['i32', CODES[name]] }));
    const graph = this.table(5, {
      0: this.offsets(tensors),
      1: this.int32s([input]),
      2: this.int32s([output]),
      3: this.offsets(operators),
    });
    const parts = { 1: this.offsets(codes), 2: this.offsets([graph]), 4: this.offsets(buffers) };
    builder.finish(this.table(5, parts, { 0: ['i32', VERSION] }), 'TFL3');
    return builder.asUint8Array().slice();
  }

  private encoded({ name, type, shape, scales, axis = 0 }: TensorSpec, index: number): Offset {
    const quantization = scales && this.quantization(scales, axis);
    const parts = { 0: this.int32s(shape), 3: this.builder.createString(name), ...(quantization === undefined ? {} : { 4: quantization }) };
    return this.table(5, parts, { 1: ['i8', TYPES[type]], 2: ['i32', index] });
  }

  private quantization(scales: ArrayLike<number>, axis: number): Offset {
    const steps = this.vector(new Uint8Array(Float32Array.from(scales).buffer), 4, 4);
    const zeros = this.vector(new Uint8Array(scales.length * 8), 8, 8);
    return this.table(7, { 2: steps, 3: zeros }, { 6: ['i32', axis] });
  }

  private table(count: number, parts: Readonly<Record<number, Offset>>, fields: Fields = {}): Offset {
    const { builder } = this;
    builder.startObject(count);
    for (const [number, offset] of Object.entries(parts)) builder.addFieldOffset(Number(number), offset, 0);
    for (const [number, [kind, value, otherwise = 0]] of Object.entries(fields)) {
      if (kind === 'i8') builder.addFieldInt8(Number(number), value, otherwise);
      else builder.addFieldInt32(Number(number), value, otherwise);
    }
    return builder.endObject();
  }

  /** @param size of an element, whose number a vector begins with */
  private vector(bytes: Uint8Array, alignment: number, size = 1): Offset {
    const { builder } = this;
    builder.startVector(size, bytes.length / size, alignment);
    // Whole filters at once: the builder writes from the end of its buffer to the beginning.
    const writer = builder as unknown as { space: number; bb: { bytes(): Uint8Array } };
    writer.space -= bytes.length;
    writer.bb.bytes().set(bytes, writer.space);
    return builder.endVector();
  }

  private int32s = (values: readonly number[]): Offset => this.vector(new Uint8Array(Int32Array.from(values).buffer), 4, 4);

  private offsets(values: readonly Offset[]): Offset {
    const { builder } = this;
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addOffset(value);
    return builder.endVector();
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array => new Uint8Array(buffer, byteOffset, byteLength);
