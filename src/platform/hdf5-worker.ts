// What readHdf5 runs on a thread of its own: bundled into a string (scripts/build-workers.mjs), so that it needs no file beside it.
import type { MessagePort } from 'node:worker_threads';
import type { Dataset, Group } from 'h5wasm';
import type { Hdf5Layer } from './platform.js';

export type Request = { readonly library: string } | { readonly bytes: Uint8Array };
export interface Reply {
  /** Undefined where the file is damaged. */
  readonly layers?: Hdf5Layer[];
  readonly reason?: string;
  /** The thread has read its last file: the library broke on this one, or keeps much memory of those that it read. */
  readonly last: boolean;
}

declare const require: (name: 'node:worker_threads') => { readonly parentPort: MessagePort };
type Hdf5 = typeof import('h5wasm');

/** Of the file's bytes: the file itself, a tensor's values twice, and compressed ones. */
const MOST_MEMORY = { times: 8, besides: 64 << 20 };

/** What this reader finds wrong, in its own words. */
class Damage extends Error {}

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

function variablesOf(group: Group): Hdf5Layer['variables'] {
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
      if (!isDataset(dataset)) throw new Damage(`the variable "${name}" is missing`);
      found.push({ name: name.slice(name.lastIndexOf('/') + 1), dataset });
    }
  } else walk(group);
  found.sort((a, b) => rankOf(a.name) - rankOf(b.name) || a.name.localeCompare(b.name, 'en', { numeric: true }));
  return found.map(({ name, dataset }) => {
    const { value, shape } = dataset;
    if (!(value instanceof Float32Array) || !shape) throw new Damage(`"${name}" is no tensor of float32`);
    return { name, shape, values: value };
  });
}

/** The layers of a legacy .h5 file, or of a .weights.h5 file of Keras 3, in the order in which each kind was built. */
function layersOf(file: Group): Hdf5Layer[] {
  const weights = file.get('model_weights');
  const root = isGroup(weights) ? weights : file;
  const names = root.attrs['layer_names']?.value;
  const modern = root.get('layers');
  if (!Array.isArray(names) && !isGroup(modern)) throw new Damage('it has no layers; weights that Keras saved were expected');
  const parent = Array.isArray(names) ? root : (modern as Group);
  const ordered = Array.isArray(names) ? names.map(String) : numbered(parent.keys());
  return ordered.flatMap((name) => {
    const group = parent.get(name);
    const variables = isGroup(group) ? variablesOf(group) : [];
    return variables.length > 0 ? [{ name, variables }] : [];
  });
}

/** Memory that a file's header asks for is had up to this many bytes: the library is told that there is no more. */
let most = Number.POSITIVE_INFINITY;
let held = 0;
const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (this: WebAssembly.Memory, pages) {
  if (this.buffer.byteLength + pages * 65536 > most) throw new RangeError('a file asks for more memory than it has use for');
  held = this.buffer.byteLength + pages * 65536;
  return grow.call(this, pages);
};

function read({ File }: Hdf5, { FS }: Awaited<Hdf5['ready']>, bytes: Uint8Array): Reply {
  const path = 'weights.h5';
  let file: InstanceType<Hdf5['File']> | undefined;
  let reply: Reply;
  try {
    FS.writeFile(path, bytes);
    file = new File(path, 'r');
    if (file.file_id < 0n) throw new Damage('it is no HDF5');
    reply = { layers: layersOf(file), last: held > most / 2 };
  } catch (cause) {
    // A trap, or the end of the stack in the middle of C.
    const broken = cause instanceof WebAssembly.RuntimeError || cause instanceof RangeError;
    reply = { reason: (cause as Error).message, last: broken || held > most / 2 };
  }
  try {
    file?.close();
    FS.unlink(path);
    return reply;
  } catch {
    // A damaged file can break its own closing, and stays open then.
    return { ...reply, last: true };
  }
}

const { parentPort } = require('node:worker_threads');
let hdf5: Hdf5;
let library: Awaited<Hdf5['ready']>;
parentPort.on('message', async (request: Request) => {
  if ('library' in request) {
    hdf5 = await import(request.library);
    library = await hdf5.ready;
    // Otherwise it prints what is wrong and goes on.
    library.activate_throwing_error_handler();
    parentPort.postMessage('ready');
    return;
  }
  most = MOST_MEMORY.times * request.bytes.length + MOST_MEMORY.besides;
  const reply = read(hdf5, library, request.bytes);
  const buffers = reply.layers?.flatMap(({ variables }) => variables.map(({ values }) => values.buffer as ArrayBuffer));
  parentPort.postMessage(reply, buffers);
});
