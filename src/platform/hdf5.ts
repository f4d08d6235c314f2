import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { InputError, ModelFormatError } from '../errors.js';
import type { Reply, Request } from './hdf5-worker.js';
import type { Hdf5Layer } from './platform.js';

/*
 * Keras' files are HDF5, which h5wasm reads: a peer that only those who have such files need. It is C that others wrote, and a
 * damaged file can make it trap or never end. So it works on a thread of its own, which is replaced then.
 */

const START_MILLISECONDS = 5000;
/** A file of two megabytes is read in ten milliseconds. */
const PATIENCE = { milliseconds: 800, perMegabyte: 200 };
/** What its objects may take of the thread's heap; the library's memory has a bound of its own. */
const HEAP_MEGABYTES = 256;

function locate(): string {
  try {
    return import.meta.resolve('h5wasm');
  } catch (cause) {
    throw new InputError('reading Keras weights needs the package "h5wasm": npm install h5wasm', { cause });
  }
}

/** The thread's answer; rejects when it dies, or is silent for too long. */
async function ask<T>(worker: Worker, request: Request, milliseconds: number): Promise<T> {
  const settled = new AbortController();
  const late = AbortSignal.timeout(Math.ceil(milliseconds));
  const signal = AbortSignal.any([settled.signal, late]);
  worker.ref();
  worker.postMessage(request);
  try {
    const ended = once(worker, 'exit', { signal }).then(() => [undefined]);
    const [reply] = (await Promise.race([once(worker, 'message', { signal }), ended])) as [T | undefined];
    if (reply === undefined) throw new Error('the HDF5 library ended its thread');
    return reply;
  } catch (cause) {
    throw late.aborted ? new Error('the HDF5 library does not come to an end', { cause }) : cause;
  } finally {
    settled.abort();
    worker.unref();
  }
}

async function start(): Promise<Worker> {
  const library = locate();
  const { default: source } = await import('../binaries/hdf5-worker.js');
  const worker = new Worker(source, { eval: true, execArgv: [], resourceLimits: { maxOldGenerationSizeMb: HEAP_MEGABYTES } });
  worker.on('error', () => undefined); // whoever asks it is told
  await ask(worker, { library }, START_MILLISECONDS).catch((cause) => {
    void worker.terminate();
    throw new InputError(`the package "h5wasm" does not start: ${(cause as Error).message}`, { cause });
  });
  return worker;
}

let idle: Worker | undefined;
let turn: Promise<unknown> = Promise.resolve();

async function readNow(bytes: Uint8Array): Promise<Hdf5Layer[]> {
  const worker = idle ?? (await start());
  idle = undefined;
  let last = true;
  try {
    const reply = await ask<Reply>(worker, { bytes }, PATIENCE.milliseconds + (PATIENCE.perMegabyte * bytes.length) / 1e6);
    last = reply.last;
    if (reply.layers) return reply.layers;
    throw new Error(reply.reason);
  } catch (cause) {
    throw new ModelFormatError(`keras: the file is damaged: ${(cause as Error).message}.`, { cause });
  } finally {
    if (last) void worker.terminate();
    else idle = worker;
  }
}

/** The layers of a file that Keras saved, in the order in which each kind was built. One file at a time is read. */
export function readHdf5(bytes: Uint8Array): Promise<Hdf5Layer[]> {
  const mine = turn.then(() => readNow(bytes));
  turn = mine.catch(() => undefined);
  return mine;
}
