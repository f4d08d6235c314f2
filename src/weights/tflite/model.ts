import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import type { Lanes } from '../../graph/lanes.js';
import { elements, firstNotFinite } from '../tensors.js';
import { FlatBuffer, type Table } from './flatbuffer.js';

// The parts of TensorFlow Lite's schema.fbs that the MobileNet family uses; numbers are the fields' in their tables.

export const OPERATORS: Readonly<Record<number, string>> = {
  0: 'ADD',
  1: 'AVERAGE_POOL_2D',
  3: 'CONV_2D',
  4: 'DEPTHWISE_CONV_2D',
  6: 'DEQUANTIZE',
  9: 'FULLY_CONNECTED',
  18: 'MUL',
  19: 'RELU',
  21: 'RELU6',
  22: 'RESHAPE',
  25: 'SOFTMAX',
  34: 'PAD',
  40: 'MEAN',
  41: 'SUB',
  43: 'SQUEEZE',
  114: 'QUANTIZE',
  117: 'HARD_SWISH',
};

const TYPES: Readonly<Record<number, { name: string; bytes: number }>> = {
  0: { name: 'float32', bytes: 4 },
  2: { name: 'int32', bytes: 4 },
  3: { name: 'uint8', bytes: 1 },
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
}

export interface TfliteOperator {
  readonly name: string;
  readonly inputs: readonly TfliteTensor[];
  readonly output: TfliteTensor;
  readonly options: Table | undefined;
}

export interface TfliteModel {
  readonly input: TfliteTensor;
  readonly operators: readonly TfliteOperator[];
}

export function readModel(bytes: Uint8Array): TfliteModel {
  const model = new FlatBuffer(bytes).root();
  const codes = model.tables(1).map((code) => Math.max(code.i8(0), code.i32(3)));
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
    const code = codes[table.u32(0)];
    const name = code === undefined ? undefined : OPERATORS[code];
    if (!name) throw new UnsupportedModelError(`tflite: operator ${code} is none of ${Object.values(OPERATORS).join(', ')}.`);
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
  return { input: tensor(inputs[0] as number), operators };
}

function readTensor(table: Table, index: number, buffers: readonly Table[]): TfliteTensor {
  const type = TYPES[table.i8(1)];
  if (!type) throw new UnsupportedModelError(`tflite: tensor ${index} is of type ${table.i8(1)}; float32, int32, int8 and uint8 are read.`);
  const shape = table.i32s(0);
  const bytes = buffers[table.u32(2)]?.bytes(0) ?? new Uint8Array();
  if (bytes.length > 0 && bytes.length !== elements(shape) * type.bytes) {
    throw new ModelFormatError(`tflite: tensor ${index}, ${type.name} [${shape}], has ${bytes.length} bytes; it is truncated or damaged.`);
  }
  const quantization = table.table(4);
  return { index, type: type.name, shape, data: bytes, scales: quantization?.f32s(2) ?? [], zeroPoints: quantization?.i64s(3) ?? [] };
}

export const isConstant = (tensor: TfliteTensor): boolean => tensor.data.length > 0;

/** The range of an 8-bit activation, its zero point subtracted; undefined for float tensors. */
export function lanesOf(tensor: TfliteTensor): Lanes | undefined {
  if (tensor.type === 'float32') return undefined;
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

export const int32s = (tensor: TfliteTensor | undefined): Int32Array => {
  if (!tensor) throw new ModelFormatError('tflite: an operator lacks an input of integers.');
  if (tensor.type !== 'int32') throw new ModelFormatError(`tflite: tensor ${tensor.index} is ${tensor.type}; int32 was expected.`);
  return new Int32Array(copied(tensor.data));
};

export const floats = (tensor: TfliteTensor): Float32Array => {
  const values = new Float32Array(copied(tensor.data));
  if (firstNotFinite(values) >= 0)
    throw new ModelFormatError(`tflite: tensor ${tensor.index} holds NaN or infinity; weights are to be finite.`);
  return values;
};

/** The real value of a constant of one element. */
export function scalarOf(tensor: TfliteTensor): number {
  if (elements(tensor.shape) !== 1)
    throw new UnsupportedModelError(`tflite: a constant of shape [${tensor.shape}] where a number was expected.`);
  if (tensor.type === 'float32') return floats(tensor)[0] as number;
  const q = tensor.type === 'uint8' ? (tensor.data[0] as number) : ((tensor.data[0] as number) << 24) >> 24;
  return (tensor.scales[0] ?? Number.NaN) * (q - (tensor.zeroPoints[0] ?? 0));
}
