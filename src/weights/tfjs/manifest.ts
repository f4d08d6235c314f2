import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import type { Source } from '../../source/types.js';
import type { Constant } from '../constants.js';
import { elements, type RawTensor, toFloat32 } from '../tensors.js';

// The weights of a model.json: groups of shards, each group one run of bytes in which tensors lie one after the other.

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly quantization?: { readonly dtype: string; readonly min?: number; readonly scale?: number };
}

/** Bytes an element has in a shard. */
const BYTES: Readonly<Record<string, number>> = { float32: 4, float16: 2, int32: 4, uint8: 1, uint16: 2, bool: 1 };
const MOST_SHARDS = 1000;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function checkEntry(value: unknown): Entry {
  const { name, shape, dtype, quantization } = (value ?? {}) as Record<string, unknown>;
  const sound =
    typeof name === 'string' &&
    Array.isArray(shape) &&
    shape.length <= 8 &&
    shape.every((side) => Number.isSafeInteger(side) && side >= 0) &&
    typeof dtype === 'string' &&
    (quantization === undefined || isRecord(quantization));
  if (!sound) throw new ModelFormatError(`tfjs: an entry of weightsManifest is damaged: ${JSON.stringify(value)?.slice(0, 80)}.`);
  return value as Entry;
}

/** @throws ModelFormatError where shards are shorter than the manifest says, InputError where one is missing */
export async function readManifest(manifest: unknown, source: Source): Promise<Map<string, Constant>> {
  if (!Array.isArray(manifest)) throw new ModelFormatError('tfjs: model.json has no weightsManifest.');
  const constants = new Map<string, Constant>();
  for (const group of manifest) {
    const { paths, weights } = (group ?? {}) as Record<string, unknown>;
    if (
      !Array.isArray(paths) ||
      !Array.isArray(weights) ||
      paths.length > MOST_SHARDS ||
      !paths.every((path) => typeof path === 'string')
    ) {
      throw new ModelFormatError('tfjs: a group of weightsManifest has no paths or no weights.');
    }
    const bytes = joined(await Promise.all(paths.map((path: string) => source.beside(path))));
    let at = 0;
    for (const entry of weights.map(checkEntry)) {
      const kept = entry.quantization?.dtype ?? entry.dtype;
      const size = BYTES[kept];
      if (!size) throw new UnsupportedModelError(`tfjs: tensor "${entry.name}" is ${kept}; ${Object.keys(BYTES).join(', ')} are read.`);
      const length = elements(entry.shape) * size;
      if (!(at + length <= bytes.length)) {
        throw new ModelFormatError(
          `tfjs: tensor "${entry.name}" of shape [${entry.shape}] ends at byte ${at + length} of ${bytes.length}; a shard is missing or cut off.`,
        );
      }
      constants.set(entry.name, { shape: entry.shape, values: valuesOf(entry, kept, bytes.subarray(at, at + length)) });
      at += length;
    }
  }
  if (constants.size === 0)
    throw new ModelFormatError('tfjs: weightsManifest lists no tensors; write the model again with tensorflowjs_converter.');
  return constants;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function valuesOf({ name, shape, quantization }: Entry, kept: string, bytes: Uint8Array): Float32Array | Float64Array {
  if (kept === 'float32' || kept === 'float16') {
    const dtype: RawTensor['dtype'] = kept === 'float32' ? 'F32' : 'F16';
    return toFloat32(name, { dtype, shape, bytes });
  }
  const { buffer } = new Uint8Array(bytes);
  const whole = kept === 'int32' ? new Int32Array(buffer) : kept === 'uint16' ? new Uint16Array(buffer) : new Uint8Array(buffer);
  if (!quantization) return Float64Array.from(whole);
  const { scale = 1, min = 0 } = quantization;
  if (!Number.isFinite(scale) || !Number.isFinite(min))
    throw new ModelFormatError(`tfjs: tensor "${name}" has scale ${scale} and min ${min}.`);
  const values = new Float32Array(whole.length);
  for (let i = 0; i < whole.length; i++) values[i] = (whole[i] as number) * scale + min;
  return values;
}
