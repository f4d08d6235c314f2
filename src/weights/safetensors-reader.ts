import { ModelFormatError } from '../errors.js';
import { DTYPE_BYTES, type DType, elements, type RawTensor, type TensorFile } from './tensors.js';

// https://github.com/huggingface/safetensors#format: u64 header length, JSON header, then the tensors' bytes.

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** Types that other files hold and no layer reads (num_batches_tracked is I64). */
const OTHER_DTYPES: Readonly<Record<string, number>> = { I64: 8, F64: 8, U8: 1, BOOL: 1, I16: 2, U16: 2, U32: 4, U64: 8 };

/** @throws ModelFormatError for anything that is not exactly what the format says */
export function readSafetensors(bytes: Uint8Array): TensorFile {
  if (bytes.length < 10) throw new ModelFormatError(`${bytes.length} bytes are too few for a safetensors file.`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(bytes.length - 8)) {
    throw new ModelFormatError(
      `safetensors: the header claims ${length} bytes, the file has ${bytes.length}; it is truncated or no safetensors file.`,
    );
  }
  const start = 8 + Number(length);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (cause) {
    throw new ModelFormatError('safetensors: the header is no JSON.', { cause });
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new ModelFormatError('safetensors: the header is no object.');
  const tensors = new Map<string, RawTensor>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(header as Record<string, unknown>)) {
    if (name === '__metadata__') {
      if (typeof entry !== 'object' || entry === null || !Object.values(entry).every((value) => typeof value === 'string')) {
        throw new ModelFormatError('safetensors: __metadata__ is to hold strings only.');
      }
      metadata = entry as Record<string, string>;
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    const known = typeof dtype === 'string' && (Object.hasOwn(DTYPE_BYTES, dtype) || Object.hasOwn(OTHER_DTYPES, dtype));
    if (
      !known ||
      !Array.isArray(shape) ||
      !shape.every(isWhole) ||
      !Array.isArray(offsets) ||
      offsets.length !== 2 ||
      !offsets.every(isWhole)
    ) {
      throw new ModelFormatError(`safetensors: the entry of tensor "${name}" is damaged or of an unknown type.`);
    }
    const [from, to] = offsets as [number, number];
    const size = DTYPE_BYTES[dtype as DType] ?? (OTHER_DTYPES[dtype as string] as number);
    if (from > to || to > bytes.length - start || to - from !== elements(shape) * size) {
      throw new ModelFormatError(
        `safetensors: tensor "${name}", ${dtype} of shape [${shape}], claims bytes ${from} to ${to} of ${bytes.length - start}; the file is truncated or damaged.`,
      );
    }
    if (Object.hasOwn(DTYPE_BYTES, dtype as string)) {
      tensors.set(name, { dtype: dtype as DType, shape, bytes: bytes.subarray(start + from, start + to) });
    } else if (!name.endsWith('.num_batches_tracked')) {
      throw new ModelFormatError(`safetensors: tensor "${name}" is ${dtype}, which no layer here reads.`);
    }
  }
  return { tensors, metadata };
}
