import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import { elements, halfToFloat } from '../tensors.js';
import { type Field, fieldsOf, numbersOf, textOf } from './protobuf.js';

// The parts of ONNX that a classifier has, by the field numbers of onnx.proto3 (github.com/onnx/onnx).

export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

export interface OnnxNode {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: ReadonlyMap<string, Attribute>;
}

export interface Attribute {
  readonly float: number;
  readonly int: number;
  readonly ints: readonly number[];
  readonly text: string;
  readonly tensor?: OnnxTensor;
}

export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  readonly input: { readonly name: string; readonly shape: readonly number[] };
  readonly output: string;
}

/** TensorProto.DataType */
const FLOAT = 1;
const INT64 = 7;
const FLOAT16 = 10;
const MOST_DIMENSIONS = 8;
const MOST_NODES = 10_000;

function tensorOf(bytes: Uint8Array): { name: string; tensor: OnnxTensor } {
  const shape: number[] = [];
  let type = 0;
  let name = '';
  let raw: Uint8Array | undefined;
  const floats: Uint8Array[] = [];
  const integers: number[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) shape.push(...numbersOf(field).slice(0, MOST_DIMENSIONS + 1));
    else if (field.number === 2) type = field.value;
    else if (field.number === 4) floats.push(field.bytes);
    else if (field.number === 7) integers.push(...numbersOf(field).slice(0, 1000));
    else if (field.number === 8) name = textOf(field);
    else if (field.number === 9) raw = field.bytes;
    else if (field.number === 13 || (field.number === 14 && field.value === 1)) {
      throw new UnsupportedModelError(`onnx: tensor "${name}" lies in another file; export with all data in one.`);
    }
  }
  const count = elements(shape);
  const width = type === FLOAT ? 4 : type === FLOAT16 ? 2 : type === INT64 ? 8 : 0;
  if (width === 0) throw new UnsupportedModelError(`onnx: tensor "${name}" is of data type ${type}; float32, float16 and int64 are read.`);
  const given = raw ? raw.length / width : type === FLOAT ? floats.reduce((sum, { length }) => sum + length, 0) / 4 : integers.length;
  if (shape.length > MOST_DIMENSIONS || !shape.every((side) => Number.isSafeInteger(side) && side >= 0) || given !== count) {
    throw new ModelFormatError(`onnx: tensor "${name}" of shape [${shape.slice(0, 8)}] holds ${given} values; the file is damaged.`);
  }
  const values = type === INT64 ? new Float64Array(count) : new Float32Array(count);
  if (raw) {
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    for (let i = 0; i < count; i++) {
      values[i] =
        type === FLOAT
          ? view.getFloat32(i * 4, true)
          : type === FLOAT16
            ? halfToFloat(view.getUint16(i * 2, true))
            : Number(view.getBigInt64(i * 8, true));
    }
  } else if (type === FLOAT) {
    let at = 0;
    for (const part of floats) {
      const view = new DataView(part.buffer, part.byteOffset, part.byteLength);
      for (let i = 0; i + 4 <= part.length; i += 4) values[at++] = view.getFloat32(i, true);
    }
  } else values.set(integers);
  return { name, tensor: { shape, values } };
}

function attributeOf(bytes: Uint8Array): [string, Attribute] {
  let name = '';
  let float = 0;
  let int = 0;
  let text = '';
  let tensor: OnnxTensor | undefined;
  const ints: number[] = [];
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) name = textOf(field);
    else if (field.number === 2 && field.bytes.length === 4)
      float = new DataView(field.bytes.buffer, field.bytes.byteOffset).getFloat32(0, true);
    else if (field.number === 3) int = field.value;
    else if (field.number === 4) text = textOf(field);
    else if (field.number === 5) tensor = tensorOf(field.bytes).tensor;
    else if (field.number === 8) ints.push(...numbersOf(field).slice(0, 100));
  }
  return [name, { float, int, ints, text, ...(tensor ? { tensor } : {}) }];
}

function nodeOf(bytes: Uint8Array): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  let operator = '';
  for (const field of fieldsOf(bytes)) {
    if (field.number === 1) inputs.push(textOf(field));
    else if (field.number === 2) outputs.push(textOf(field));
    else if (field.number === 4) operator = textOf(field);
    else if (field.number === 5) attributes.set(...attributeOf(field.bytes));
  }
  return { operator, inputs, output: outputs[0] ?? '', attributes };
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

/** @throws ModelFormatError for bytes that are no ONNX model */
export function readModel(bytes: Uint8Array): OnnxModel {
  const graph = [...fieldsOf(bytes)].find(({ number }) => number === 7);
  if (!graph) throw new ModelFormatError('onnx: the file holds no graph.');
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxTensor>();
  const inputs: { name: string; shape: number[] }[] = [];
  let output = '';
  for (const field of fieldsOf(graph.bytes)) {
    if (field.number === 1) {
      if (nodes.push(nodeOf(field.bytes)) > MOST_NODES) throw new UnsupportedModelError(`onnx: more than ${MOST_NODES} nodes.`);
    } else if (field.number === 5) {
      const { name, tensor } = tensorOf(field.bytes);
      constants.set(name, tensor);
    } else if (field.number === 11) inputs.push(valueInfoOf(field.bytes));
    else if (field.number === 12 && output === '') output = valueInfoOf(field.bytes).name;
  }
  const input = inputs.find(({ name }) => !constants.has(name));
  if (!input || output === '') throw new ModelFormatError('onnx: the graph has no input or no output.');
  return { nodes, constants, input, output };
}
