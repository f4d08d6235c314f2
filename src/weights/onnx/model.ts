import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import { elements, halfToFloat } from '../tensors.js';
import { bytesElsewhere, type DataFiles } from './external.js';
import { type Field, fieldsOf, numbersOf, textOf } from './protobuf.js';

// The parts of ONNX that a classifier has, by the field numbers of onnx.proto3 (github.com/onnx/onnx).

export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly type: string;
  readonly values: Float32Array | Float64Array | Int8Array | Uint8Array;
}

export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  /** The first of `outputs`. */
  readonly output: string;
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface Attribute {
  readonly float: number;
  readonly int: number;
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly text: string;
  readonly tensor?: OnnxTensor;
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly output: string;
}

/** TensorProto.DataType, and the bytes of an element in raw_data. */
const TYPES: Readonly<Record<number, { readonly name: string; readonly bytes: number }>> = {
  1: { name: 'float32', bytes: 4 },
  2: { name: 'uint8', bytes: 1 },
  3: { name: 'int8', bytes: 1 },
  6: { name: 'int32', bytes: 4 },
  7: { name: 'int64', bytes: 8 },
  9: { name: 'bool', bytes: 1 },
  10: { name: 'float16', bytes: 2 },
  11: { name: 'float64', bytes: 8 },
};
const MOST_DIMENSIONS = 8;
const MOST_NODES = 10_000;
/** In lists of numbers: shapes, zero points, small weights. */
const MOST_INTEGERS = 100_000;

function tensorOf(bytes: Uint8Array, files: DataFiles): { name: string; tensor: OnnxTensor } {
  const shape: number[] = [];
  let type = 0;
  let name = '';
  let raw: Uint8Array | undefined;
  let elsewhere = false;
  const floats: Uint8Array[] = [];
  const integers: number[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) shape.push(...numbersOf(field).slice(0, MOST_DIMENSIONS + 1));
    else if (field.number === 2) type = field.value;
    else if (field.number === 4) floats.push(field.bytes);
    else if (field.number === 5 || field.number === 7) integers.push(...numbersOf(field).slice(0, MOST_INTEGERS));
    else if (field.number === 8) name = textOf(field);
    else if (field.number === 9) raw = field.bytes;
    else if (field.number === 14) elsewhere = field.value === 1;
  }
  const kind = TYPES[type];
  if (!kind) {
    const known = Object.values(TYPES).map((known) => known.name);
    throw new UnsupportedModelError(`onnx: tensor "${name}" is of data type ${type}; ${known.join(', ')} are read.`);
  }
  const count = elements(shape);
  const what = `tensor "${name}" of shape [${shape.slice(0, 8)}]`;
  const sound = shape.length <= MOST_DIMENSIONS && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
  if (sound && elsewhere) raw = bytesElsewhere(bytes, what, count * kind.bytes, files);
  const floating = kind.name === 'float32';
  const given = raw ? raw.length / kind.bytes : floating ? floats.reduce((sum, { length }) => sum + length, 0) / 4 : integers.length;
  if (!sound || given !== count) throw new ModelFormatError(`onnx: ${what} holds ${given} values; the file is damaged.`);
  const values = raw ? rawValues(kind.name, raw, count) : floating ? floatValues(floats, count) : integerValues(kind.name, integers);
  return { name, tensor: { shape, type: kind.name, values } };
}

function rawValues(type: string, raw: Uint8Array, count: number): OnnxTensor['values'] {
  const bytes = new Uint8Array(raw);
  if (type === 'uint8' || type === 'bool') return bytes;
  if (type === 'int8') return new Int8Array(bytes.buffer);
  if (type === 'float32') return new Float32Array(bytes.buffer);
  if (type === 'float64') return new Float64Array(bytes.buffer);
  if (type === 'int32') return Float64Array.from(new Int32Array(bytes.buffer));
  const values = new Float64Array(count);
  const view = new DataView(bytes.buffer);
  if (type === 'int64') for (let i = 0; i < count; i++) values[i] = Number(view.getBigInt64(i * 8, true));
  else for (let i = 0; i < count; i++) values[i] = halfToFloat(view.getUint16(i * 2, true));
  return type === 'float16' ? new Float32Array(values) : values;
}

function floatValues(parts: readonly Uint8Array[], count: number): Float32Array {
  const values = new Float32Array(count);
  let at = 0;
  for (const part of parts) {
    const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
    for (let i = 0; i + 4 <= part.length; i += 4) values[at++] = view.getFloat32(i, true);
  }
  return values;
}

const integerValues = (type: string, integers: readonly number[]): OnnxTensor['values'] =>
  type === 'int8' ? Int8Array.from(integers) : type === 'uint8' ? Uint8Array.from(integers) : Float64Array.from(integers);

function attributeOf(bytes: Uint8Array, files: DataFiles): [string, Attribute] {
  let name = '';
  let float = 0;
  let int = 0;
  let text = '';
  let tensor: OnnxTensor | undefined;
  const ints: number[] = [];
  const floats: number[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) name = textOf(field);
    else if (field.number === 2 && field.bytes.length === 4)
      float = new DataView(field.bytes.buffer, field.bytes.byteOffset).getFloat32(0, true);
    else if (field.number === 3) int = field.value;
    else if (field.number === 4) text = textOf(field);
    else if (field.number === 5) tensor = tensorOf(field.bytes, files).tensor;
    else if (field.number === 7) floats.push(...floatValues([field.bytes], field.bytes.length >> 2).slice(0, 100));
    else if (field.number === 8) ints.push(...numbersOf(field).slice(0, 100));
  }
  return [name, { float, int, ints, floats, text, ...(tensor ? { tensor } : {}) }];
}

function nodeOf(bytes: Uint8Array, files: DataFiles): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  let operator = '';
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) inputs.push(textOf(field));
    else if (field.number === 2) outputs.push(textOf(field));
    else if (field.number === 4) operator = textOf(field);
    else if (field.number === 5) attributes.set(...attributeOf(field.bytes, files));
  }
  return { operator, inputs, output: outputs[0] ?? '', outputs, attributes };
}

/** ValueInfoProto: a name and, of a tensor, its sides; 0 for one that is left open. */
function valueInfoOf(bytes: Uint8Array): { name: string; shape: number[] } {
  const inside = (field: Field, number: number): Field[] => [...fieldsOf(field.bytes)].filter((inner) => inner.number === number);
  const all = [...fieldsOf(bytes)];
  const name = all.find(({ number }) => number === 1);
  const dimensions = all
    .filter(({ number }) => number === 2)
    .flatMap((type) => inside(type, 1))
    .flatMap((tensor) => inside(tensor, 2))
    .flatMap((shape) => inside(shape, 1));
  return { name: name ? textOf(name) : '', shape: dimensions.map((side) => inside(side, 1)[0]?.value ?? 0) };
}

/** TensorFlow's SavedModel begins as ONNX does, but that messages are where ONNX has its producer's name. */
function noGraph([version, second]: readonly Field[]): Error {
  if (version?.value !== 1 || second?.number !== 2 || second.bytes[0] !== 0x0a)
    return new ModelFormatError('onnx: the file holds no graph.');
  return new UnsupportedModelError(
    "this is the saved_model.pb of TensorFlow's SavedModel, whose weights are other files: convert the whole folder, with " +
      'tf.lite.TFLiteConverter.from_saved_model() to .tflite or with tensorflowjs_converter to model.json.',
  );
}

/**
 * @param files those that tensors name, if they do
 * @throws ModelFormatError for bytes that are no ONNX model
 */
export function readModel(bytes: Uint8Array, files: DataFiles = new Map()): OnnxModel {
  const fields = [...fieldsOf(bytes)];
  const graph = fields.find(({ number }) => number === 7);
  if (!graph) throw noGraph(fields);
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxTensor>();
  const inputs: { name: string; shape: number[] }[] = [];
  let output = '';
  for (const field of fieldsOf(graph.bytes)) {
    if (field.number === 1) {
      if (nodes.push(nodeOf(field.bytes, files)) > MOST_NODES) throw new UnsupportedModelError(`onnx: more than ${MOST_NODES} nodes.`);
    } else if (field.number === 5) {
      const { name, tensor } = tensorOf(field.bytes, files);
      constants.set(name, tensor);
    } else if (field.number === 11) inputs.push(valueInfoOf(field.bytes));
    else if (field.number === 12 && output === '') output = valueInfoOf(field.bytes).name;
  }
  const input = inputs.find(({ name }) => !constants.has(name));
  if (!input || output === '') throw new ModelFormatError('onnx: the graph has no input or no output.');
  return { nodes, constants, input, output };
}
