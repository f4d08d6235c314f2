import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Model } from '../model/model.js';
import type { Bulk, Common } from './options.js';
import type { PoolData } from './picture-worker.js';
import { type Answer, answerFor, picturesOf, type Task } from './pictures.js';

/** Fewer pictures than this are not worth another thread with a model of its own. */
const WORTH_A_THREAD = 32;
/** Pictures that a thread has in hand: while one is computed, others are read and decoded. */
const IN_HAND = 3;
/** Node decodes on four threads unless its environment says otherwise when it starts. */
const DECODERS = 4;

/** How many threads to use for so many pictures. */
const settleWorkers = (workers: number | 'auto', pictures: number): number =>
  workers === 'auto' ? Math.max(1, Math.min(availableParallelism(), Math.floor(pictures / WORTH_A_THREAD))) : workers;

/**
 * Runs this command again where Node would decode on fewer threads than compute.
 *
 * @returns whether it did: the command is done then
 */
async function ranWithDecoders(workers: number): Promise<boolean> {
  if (workers <= DECODERS || process.env['UV_THREADPOOL_SIZE'] !== undefined) return false;
  const env = { ...process.env, UV_THREADPOOL_SIZE: String(workers) };
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], { env, stdio: 'inherit' });
  // A terminal tells both by itself.
  process.on('SIGINT', () => undefined).on('SIGTERM', () => child.kill('SIGTERM'));
  const [code] = await once(child, 'close');
  process.exitCode = (code as number | null) ?? 1;
  return true;
}

/**
 * The pictures, and how many threads shall go through them.
 *
 * @returns undefined where the command ran again, with enough decoders, and is done
 */
export async function assign(
  inputs: readonly string[],
  { list, workers }: Bulk,
): Promise<{ pictures: readonly string[]; workers: number } | undefined> {
  // Standard input can be read once: by the process that does the work.
  if (list === '-' && (await ranWithDecoders(settleWorkers(workers, Number.POSITIVE_INFINITY)))) return undefined;
  const pictures = await picturesOf(inputs, list);
  const settled = settleWorkers(workers, pictures.length);
  return (await ranWithDecoders(settled)) ? undefined : { pictures, workers: settled };
}

/** Answers in the pictures' order, whatever thread has them first; a bounded number of them at once. It ends when none is in hand any more. */
async function* inOrder(pictures: Iterable<string>, atOnce: number, answer: (image: string) => Promise<Answer>): AsyncGenerator<Answer> {
  const waiting: Promise<Answer>[] = [];
  try {
    for (const picture of pictures) {
      const promise = answer(picture);
      promise.catch(() => undefined); // told when its turn comes
      waiting.push(promise);
      if (waiting.length >= atOnce) yield await (waiting.shift() as Promise<Answer>);
    }
    for (const promise of waiting) yield await promise;
  } finally {
    // A pool that is destroyed fails on an answer that comes late.
    await Promise.allSettled(waiting);
  }
}

/** The bytes of a model where all threads see them. */
function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** What a task says of each picture, by one thread or by a pool of them. */
export async function* answersOf(
  model: Model,
  task: Task,
  pictures: Iterable<string>,
  workers: number,
  { threads, simd }: Common,
): AsyncGenerator<Answer> {
  if (workers === 1) {
    yield* inOrder(pictures, IN_HAND, (image) => answerFor(model, task, image));
    return;
  }
  const { Piscina } = await import('piscina');
  const workerData: PoolData = { model: shared(model.save()), options: { threads, simd }, task };
  const pool = new Piscina({
    filename: fileURLToPath(new URL('../cli/picture-worker.js', import.meta.url)),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: IN_HAND,
    workerData,
  });
  try {
    yield* inOrder(pictures, workers * IN_HAND, (image) => pool.run(image) as Promise<Answer>);
  } finally {
    await pool.destroy();
  }
}
