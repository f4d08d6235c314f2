import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import type { Lanes } from '../../graph/lanes.js';
import { elements, toFloat32 } from '../tensors.js';
import { FlatBuffer, type Table } from './flatbuffer.js';

// The parts of TensorFlow Lite's schema.fbs that the MobileNet family uses; numbers are the fields' in their tables.

export const OPERATORS: Readonly<Record<number, string>> = {
  0: 'ADD',
  1: 'AVERAGE_POOL_2D',
  3: 'CONV_2D',
  4: 'DEPTHWISE_CONV_2D',
  6: 'DEQUANTIZE',
  9: 'FULLY_CONNECTED',
  11: 'L2_NORMALIZATION',
  14: 'LOGISTIC',
  18: 'MUL',
  19: 'RELU',
  21: 'RELU6',
  22: 'RESHAPE',
  25: 'SOFTMAX',
  34: 'PAD',
  39: 'TRANSPOSE',
  40: 'MEAN',
  41: 'SUB',
  42: 'DIV',
  43: 'SQUEEZE',
  45: 'STRIDED_SLICE',
  70: 'EXPAND_DIMS',
  77: 'SHAPE',
  83: 'PACK',
  114: 'QUANTIZE',
  117: 'HARD_SWISH',
};

/** Operators of other networks, to name them in a message. */
const OTHERS =
  '2 CONCATENATION,17 MAX_POOL_2D,23 RESIZE_BILINEAR,28 TANH,36 GATHER,37 BATCH_TO_SPACE_ND,38 SPACE_TO_BATCH_ND,49 SPLIT,53 CAST,' +
  '54 PRELU,65 SLICE,67 TRANSPOSE_CONV,76 RSQRT,97 RESIZE_NEAREST_NEIGHBOR,98 LEAKY_RELU,99 SQUARED_DIFFERENCE,126 BATCH_MATMUL,150 GELU';
const CUSTOM = 32;

const TYPES: Readonly<Record<number, { name: string; bytes: number }>> = {
  0: { name: 'float32', bytes: 4 },
  1: { name: 'float16', bytes: 2 },
  2: { name: 'int32', bytes: 4 },
  3: { name: 'uint8', bytes: 1 },
  4: { name: 'int64', bytes: 8 },
  9: { name: 'int8', bytes: 1 },
};

export interface TfliteTensor {
  readonly index: number;
  readonly type: string;
  readonly shape: readonly number[];
  /** Empty for tensors that are computed. */
  readonly data: Uint8Array;
  readonly scales: readonly number[];
  readonly zeroPoints: readonly number[];
  /** The dimension along which scales go, if there are several. */
  readonly axis: number;
}

export interface TfliteOperator {
  readonly name: string;
  readonly inputs: readonly TfliteTensor[];
  readonly output: TfliteTensor;
  readonly options: Table | undefined;
}

export interface TfliteModel {
  readonly input: TfliteTensor;
  readonly output: TfliteTensor;
  readonly operators: readonly TfliteOperator[];
  /** A FlatBuffer of its own. */
  readonly metadata?: Uint8Array | undefined;
}

export function readModel(bytes: Uint8Array): TfliteModel {
  const model = new FlatBuffer(bytes).root();
  const codes = model.tables(1);
  const [subgraph, ...others] = model.tables(2);
  if (!subgraph || others.length > 0)
    throw new UnsupportedModelError(`tflite: ${others.length + (subgraph ? 1 : 0)} subgraphs; one was expected.`);
  const buffers = model.tables(4);
  const tensors = subgraph.tables(0).map((table, index) => readTensor(table, index, buffers));
  const tensor = (index: number): TfliteTensor => {
    const found = tensors[index];
    if (!found) throw new ModelFormatError(`tflite: tensor ${index} of ${tensors.length} does not exist.`);
    return found;
  };
  const inputs = subgraph.i32s(1);
  if (inputs.length !== 1) throw new UnsupportedModelError(`tflite: ${inputs.length} inputs; one image was expected.`);
  const operators = subgraph.tables(3).map((table): TfliteOperator => {
    const name = nameOf(codes[table.u32(0)]);
    const outputs = table.i32s(2);
    if (outputs.length !== 1) throw new UnsupportedModelError(`tflite: a ${name} with ${outputs.length} outputs.`);
    return {
      name,
      inputs: table
        .i32s(1)
        .filter((i) => i >= 0)
        .map(tensor),
      output: tensor(outputs[0] as number),
      options: table.table(4),
    };
  });
  const outputs = subgraph.i32s(2);
  if (outputs.length !== 1) {
    throw new UnsupportedModelError(`tflite: ${outputs.length} outputs; networks that classify an image or give its features have one.`);
  }
  return { input: tensor(inputs[0] as number), output: tensor(outputs[0] as number), operators, metadata: metadataOf(model, buffers) };
}

/** @throws UnsupportedModelError for operators that are not read */
function nameOf(entry: Table | undefined): string {
  const code = entry && Math.max(entry.i8(0), entry.i32(3));
  const known = OPERATORS[code as number];
  if (known) return known;
  const custom = code === CUSTOM ? entry?.string(1).slice(0, 64) : undefined;
  if (custom === 'edgetpu-custom-op') {
    throw new UnsupportedModelError(
      'tflite: the file was compiled for the Edge TPU; give the one that it was compiled from, without _edgetpu in its name.',
    );
  }
  const other = custom ?? RegExp(`\\b${code} (\\w+)`).exec(OTHERS)?.[1] ?? `${code} of schema.fbs`;
  throw new UnsupportedModelError(`tflite: operator ${other}; the networks of the family have none of it.`);
}

function metadataOf(model: Table, buffers: readonly Table[]): Uint8Array | undefined {
  const entry = model.tables(6).find((table) => table.string(0) === 'TFLITE_METADATA');
  return entry && buffers[entry.u32(1)]?.bytes(0);
}

function readTensor(table: Table, index: number, buffers: readonly Table[]): TfliteTensor {
  const type = TYPES[table.i8(1)];
  if (!type)
    throw new UnsupportedModelError(
      `tflite: tensor ${index} is of type ${table.i8(1)}; ${Object.values(TYPES)
        .map(({ name }) => name)
        .join(', ')} are read.`,
    );
  const shape = table.i32s(0);
  const bytes = buffers[table.u32(2)]?.bytes(0) ?? new Uint8Array();
  if (bytes.length > 0 && bytes.length !== elements(shape) * type.bytes) {
    throw new ModelFormatError(`tflite: tensor ${index}, ${type.name} [${shape}], has ${bytes.length} bytes; it is truncated or damaged.`);
  }
  const quantization = table.table(4);
  return {
    index,
    type: type.name,
    shape,
    data: bytes,
    scales: quantization?.f32s(2) ?? [],
    zeroPoints: quantization?.i64s(3) ?? [],
    axis: quantization?.i32(6) ?? 0,
  };
}

/** float16 is how some files keep what is computed in float32. */
export const isFloat = ({ type }: TfliteTensor): boolean => type === 'float32' || type === 'float16';

export const isConstant = (tensor: TfliteTensor): boolean => tensor.data.length > 0;

/** The range of an 8-bit activation, its zero point subtracted; undefined for float tensors. */
export function lanesOf(tensor: TfliteTensor): Lanes | undefined {
  if (tensor.type !== 'int8' && tensor.type !== 'uint8') return undefined;
  const [scale] = tensor.scales;
  const [zeroPoint = 0] = tensor.zeroPoints;
  const lowest = tensor.type === 'uint8' ? 0 : -128;
  if (!(scale !== undefined && scale > 0 && Number.isFinite(scale)) || tensor.scales.length > 1 || Math.abs(zeroPoint) > 255) {
    throw new ModelFormatError(
      `tflite: tensor ${tensor.index} is ${tensor.type} and needs one scale above zero; it has [${tensor.scales}].`,
    );
  }
  return { scale, low: lowest - zeroPoint, high: lowest + 255 - zeroPoint };
}

const copied = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** Of an int32 or int64 constant. */
export const integers = (tensor: TfliteTensor | undefined): number[] => {
  if (!tensor) throw new ModelFormatError('tflite: an operator lacks an input of integers.');
  if (tensor.type === 'int64') return Array.from(new BigInt64Array(copied(tensor.data)), Number);
  return [...int32s(tensor)];
};

export const int32s = (tensor: TfliteTensor): Int32Array => {
  if (tensor.type !== 'int32') throw new ModelFormatError(`tflite: tensor ${tensor.index} is ${tensor.type}; int32 was expected.`);
  return new Int32Array(copied(tensor.data));
};

/** As int8: 128 less than uint8, which is the highest bit turned. */
export function signed({ data, type }: TfliteTensor): Int8Array<ArrayBuffer> {
  const values = new Int8Array(data);
  if (type === 'uint8') for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) ^ -128;
  return values;
}

/** The real values of a constant, whatever it is kept as: quantized ones have a scale, or one for each step along `axis`. */
export const realValues = (tensor: TfliteTensor): Float32Array<ArrayBuffer> => valuesOf(tensor, (length) => new Float32Array(length));

/** The same in double precision, for numbers that an operator computes with. */
export const realNumbers = (tensor: TfliteTensor): Float32Array | Float64Array => valuesOf(tensor, (length) => new Float64Array(length));

function valuesOf<T extends Float32Array | Float64Array>(tensor: TfliteTensor, make: (length: number) => T): T | Float32Array<ArrayBuffer> {
  const { index, type, data, scales, zeroPoints, axis, shape } = tensor;
  if (type === 'float32' || type === 'float16') {
    return toFloat32(`${index}`, { dtype: type === 'float32' ? 'F32' : 'F16', shape, bytes: data });
  }
  if (type !== 'int8' && type !== 'uint8') throw new ModelFormatError(`tflite: tensor ${index} is ${type}; weights were expected.`);
  const count = shape[axis] ?? 1;
  if (scales.length !== 1 && scales.length !== count) throw new ModelFormatError(`tflite: tensor ${index} has ${scales.length} scales.`);
  const bytes = signed(tensor);
  const shift = type === 'uint8' ? 128 : 0;
  const block = elements(shape.slice(axis + 1));
  const values = make(bytes.length);
  for (let i = 0, c = 0, inside = 0; i < bytes.length; i++) {
    const at = scales.length === 1 ? 0 : c;
    values[i] = (scales[at] as number) * ((bytes[i] as number) + shift - (zeroPoints[at] ?? zeroPoints[0] ?? 0));
    if (++inside === block) {
      inside = 0;
      if (++c === count) c = 0;
    }
  }
  return values;
}
