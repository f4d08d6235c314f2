import type { Dataset, Group } from 'h5wasm';
import { InputError, ModelFormatError } from '../errors.js';
import type { KerasLayer } from '../weights/keras.js';

// Keras' files are HDF5, which h5wasm reads: a peer that only those who have such files need.

type Hdf5 = typeof import('h5wasm');
let hdf5: Promise<Hdf5> | undefined;
let files = 0;

function load(): Promise<Hdf5> {
  hdf5 ??= import('h5wasm').catch((cause) => {
    hdf5 = undefined;
    throw new InputError('reading Keras weights needs the package "h5wasm": npm install h5wasm', { cause });
  });
  return hdf5;
}

const isGroup = (entity: unknown): entity is Group => (entity as Group | null)?.type === 'Group';
const isDataset = (entity: unknown): entity is Dataset => (entity as Dataset | null)?.type === 'Dataset';

/** conv2d, conv2d_1, conv2d_10: in the order of their numbers. */
function numbered(names: readonly string[]): string[] {
  const numberOf = (name: string) => Number(/_(\d+)$/.exec(name)?.[1] ?? 0);
  const baseOf = (name: string) => name.replace(/_\d+$/, '');
  return [...names].sort((a, b) => (baseOf(a) === baseOf(b) ? numberOf(a) - numberOf(b) : baseOf(a) < baseOf(b) ? -1 : 1));
}

/** The order that Keras writes a batch norm's variables in, whatever order the file lists them in. */
const ORDER = ['kernel', 'depthwise_kernel', 'gamma', 'beta', 'bias', 'moving_mean', 'moving_variance'];
const rankOf = (name: string) => ORDER.indexOf(name.replace(/:0$/, ''));

function variablesOf(group: Group): KerasLayer['variables'] {
  const found: { name: string; dataset: Dataset }[] = [];
  const walk = (inner: Group) => {
    for (const name of inner.keys()) {
      const entity = inner.get(name);
      if (isGroup(entity)) walk(entity);
      else if (isDataset(entity)) found.push({ name, dataset: entity });
    }
  };
  // Names with slashes nest one layer's group in another's: the list says which variables are whose.
  const own = group.attrs['weight_names']?.value;
  if (Array.isArray(own)) {
    for (const name of own.map(String)) {
      const dataset = group.get(name);
      if (!isDataset(dataset)) throw new ModelFormatError(`keras: the variable "${name}" is missing; the file is damaged.`);
      found.push({ name: name.slice(name.lastIndexOf('/') + 1), dataset });
    }
  } else walk(group);
  found.sort((a, b) => rankOf(a.name) - rankOf(b.name) || a.name.localeCompare(b.name, 'en', { numeric: true }));
  return found.map(({ name, dataset }) => {
    const { value, shape } = dataset;
    if (!(value instanceof Float32Array) || !shape) throw new ModelFormatError(`keras: "${name}" is no tensor of float32.`);
    return { name, shape, values: value };
  });
}

/** HDF5 is C, and a damaged file can make it trap: what it says of other files from then on is worth nothing. */
let broken = false;

/** The layers of a legacy .h5 file, or of a .weights.h5 file of Keras 3, in the order in which each kind was built. */
export async function readHdf5(bytes: Uint8Array): Promise<KerasLayer[]> {
  if (broken) throw new InputError('keras: the HDF5 library broke on a damaged file that was read before; read this one in a new process.');
  const { File, ready } = await load();
  const library = await ready;
  const { FS } = library;
  // Otherwise it prints what is wrong and goes on.
  library.activate_throwing_error_handler();
  const path = `keras-${++files}.h5`;
  FS.writeFile(path, bytes);
  let file: InstanceType<typeof File> | undefined;
  try {
    file = new File(path, 'r');
    if (file.file_id < 0n) throw new ModelFormatError('keras: the file is damaged: it is no HDF5.');
    const weights = file.get('model_weights');
    const root: Group = isGroup(weights) ? weights : file;
    const names = root.attrs['layer_names']?.value;
    const modern = root.get('layers');
    if (!Array.isArray(names) && !isGroup(modern))
      throw new ModelFormatError('keras: the file has no layers; weights that Keras saved were expected.');
    const parent = Array.isArray(names) ? root : (modern as Group);
    const ordered = Array.isArray(names) ? names.map(String) : numbered(parent.keys());
    return ordered.flatMap((name) => {
      const group = parent.get(name);
      const variables = isGroup(group) ? variablesOf(group) : [];
      return variables.length > 0 ? [{ name, variables }] : [];
    });
  } catch (cause) {
    if (cause instanceof InputError || cause instanceof ModelFormatError) throw cause;
    broken ||= cause instanceof WebAssembly.RuntimeError;
    throw new ModelFormatError(`keras: the file is damaged: ${(cause as Error).message}.`, { cause });
  } finally {
    try {
      file?.close();
    } catch (cause) {
      broken ||= cause instanceof WebAssembly.RuntimeError;
      // A damaged file can break its own closing; what there is to say of it has been said.
    }
    FS.unlink(path);
  }
}
