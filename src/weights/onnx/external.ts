import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import type { Source } from '../../source/types.js';
import { fieldsOf, textOf } from './protobuf.js';

// Tensors whose bytes lie in a file beside the model: PyTorch's exporter writes model.onnx and model.onnx.data.

interface DataFile {
  readonly bytes: Uint8Array;
  /** Bytes that no tensor has taken yet. A tensor is a few bytes of the model: a thousand that name the same weights must not take a thousand times the memory. */
  free: number;
}

export type DataFiles = ReadonlyMap<string, DataFile>;

/** A TensorProto's external_data, keys and values; undefined where the tensor holds its bytes itself. */
function placeOf(tensor: Uint8Array): ReadonlyMap<string, string> | undefined {
  const place = new Map<string, string>();
  let elsewhere = false;
  for (const { number, value, bytes } of fieldsOf(tensor)) {
    if (number === 14) elsewhere = value === 1;
    if (number !== 13) continue;
    const pair = ['', ''];
    for (const field of fieldsOf(bytes)) pair[field.number - 1] = textOf(field);
    place.set(...(pair as [string, string]));
  }
  return elsewhere ? place : undefined;
}

/** The files that a model's initializers name, each read once. */
export async function readFilesBeside(model: Uint8Array, source: Source): Promise<DataFiles> {
  const files = new Map<string, DataFile>();
  for (const graph of fieldsOf(model)) {
    if (graph.number !== 7) continue;
    for (const tensor of fieldsOf(graph.bytes)) {
      const name = tensor.number === 5 ? placeOf(tensor.bytes)?.get('location') : undefined;
      if (name === undefined || files.has(name)) continue;
      const bytes = await source.beside(name);
      files.set(name, { bytes, free: bytes.length });
    }
  }
  return files;
}

/**
 * The bytes of a tensor that lie in another file.
 *
 * @param what the tensor, for messages
 * @param size the bytes that its shape and type take
 */
export function bytesElsewhere(tensor: Uint8Array, what: string, size: number, files: DataFiles): Uint8Array {
  const place = placeOf(tensor);
  const name = place?.get('location') ?? '';
  const file = files.get(name);
  if (!file) throw new UnsupportedModelError(`onnx: ${what} lies in another file, "${name}"; export with all data in one.`);
  const number = (key: string, otherwise: number) => {
    const text = place?.get(key);
    if (text === undefined) return otherwise;
    if (!/^\d{1,15}$/.test(text)) throw new ModelFormatError(`onnx: ${what} has the ${key} "${text.slice(0, 20)}" in "${name}".`);
    return Number(text);
  };
  const [offset, length] = [number('offset', 0), number('length', size)];
  if (length !== size) throw new ModelFormatError(`onnx: ${what} takes ${size} bytes; it claims ${length} of "${name}".`);
  const { bytes } = file;
  if (!(offset + size <= bytes.length)) {
    throw new ModelFormatError(
      `onnx: ${what} ends at byte ${offset + size} of "${name}", which has ${bytes.length}; it is cut off, or another model's.`,
    );
  }
  file.free -= size;
  if (file.free < 0) throw new ModelFormatError(`onnx: tensors claim more bytes of "${name}" than the ${bytes.length} that it has.`);
  return bytes.subarray(offset, offset + size);
}
