import { ModelFormatError } from '../../errors.js';
import { DTYPE_BYTES, type DType, elements, type RawTensor, type TensorFile } from '../tensors.js';
import { type PickledTensor, unpickle } from './pickle.js';
import { readStoredZip } from './zip.js';

// A .pth or .pt file as torch.save has written it since PyTorch 1.6: a zip of data.pkl and a file a storage.

const DTYPES: Readonly<Record<string, DType>> = { FloatStorage: 'F32', HalfStorage: 'F16', BFloat16Storage: 'BF16' };
/** Where training scripts put a state_dict among other things. */
const NESTED = ['state_dict', 'model', 'model_state_dict', 'state_dict_ema', 'model_ema'];

const isTensor = (value: unknown): value is PickledTensor => (value as PickledTensor | undefined)?.kind === 'tensor';

/** @throws ModelFormatError for anything but stored tensors in dictionaries */
export function readTorch(bytes: Uint8Array): TensorFile {
  const entries = readStoredZip(bytes);
  const pickled = [...entries.keys()].find((name) => name.endsWith('/data.pkl'));
  if (pickled === undefined) throw new ModelFormatError('the zip archive holds no data.pkl; it is no PyTorch checkpoint.');
  const folder = pickled.slice(0, -'data.pkl'.length);
  let state = unpickle(entries.get(pickled) as Uint8Array);
  const nested = NESTED.map((name) => state.get(name)).find((value) => value instanceof Map);
  if (nested) state = nested as ReadonlyMap<string, unknown>;
  const tensors = new Map<string, RawTensor>();
  for (const [name, value] of state) {
    if (!isTensor(value) || name.endsWith('.num_batches_tracked')) continue;
    const dtype = DTYPES[value.storage.type];
    if (!dtype) throw new ModelFormatError(`tensor "${name}" is of ${value.storage.type}, which no layer here reads.`);
    const storage = entries.get(`${folder}data/${value.storage.key}`);
    if (!storage) throw new ModelFormatError(`the storage of tensor "${name}" is missing.`);
    tensors.set(name.replace(/^module\./, ''), { dtype, shape: value.shape, bytes: slice(name, value, storage, DTYPE_BYTES[dtype]) });
  }
  return { tensors, metadata: {} };
}

function slice(name: string, { shape, strides, offset }: PickledTensor, storage: Uint8Array, size: number): Uint8Array {
  const count = elements(shape);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== stride)
      throw new ModelFormatError(`tensor "${name}" is not contiguous; save it with .contiguous().`);
    stride *= shape[i] as number;
  }
  if (!((offset + count) * size <= storage.length)) {
    throw new ModelFormatError(
      `tensor "${name}" of shape [${shape}] claims more than its storage of ${storage.length} bytes; the file is damaged.`,
    );
  }
  return storage.subarray(offset * size, (offset + count) * size);
}
