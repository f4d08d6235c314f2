import platform from '#platform';
import type { ThreadHandle } from '../../platform/platform.js';
import { INSTRUCTION_BYTES } from '../instruction.js';
import { CONTROL_WORDS, COUNT, GENERATION, PROGRAM, runShare, THREADS } from './control.js';
import type { Start } from './worker.js';

/** No layer takes a hundredth of this. A helper that stays away so long may be dead, stopped, or on a machine that slept. */
const PATIENCE_MILLISECONDS = 2000;
/** Far more than any start takes. */
const START_MILLISECONDS = 5000;

/** Of shared memory that the threads agree by. */
export const CONTROL_BYTES = CONTROL_WORDS * 4;

/** Starts a worker that runs a script given as text. */
export type StartThread = (source: string) => ThreadHandle;

/** A worker that is ready to compute; undefined where none starts. */
async function startWorker(startThread: StartThread, source: string, start: Start): Promise<ThreadHandle | undefined> {
  let worker: ThreadHandle | undefined;
  let silence: ReturnType<typeof setTimeout> | undefined;
  try {
    const started = startThread(source);
    worker = started;
    await new Promise((resolve, reject) => {
      silence = setTimeout(reject, START_MILLISECONDS);
      started.listen(resolve, reject);
      started.send(start);
    });
    started.unref();
    return started;
  } catch {
    worker?.terminate();
    return undefined;
  } finally {
    clearTimeout(silence);
  }
}

/** Workers on one shared memory, started once. The caller's own thread is thread 0. */
export class Pool {
  private constructor(
    readonly threads: number,
    private readonly execute: Parameters<typeof runShare>[0],
    private readonly control: Int32Array,
    private readonly workers: readonly ThreadHandle[],
  ) {}

  /** Undefined where no worker starts, for a policy or another reason. */
  static async start(
    threads: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    pointer: number,
    execute: Parameters<typeof runShare>[0],
    startThread: StartThread,
  ): Promise<Pool | undefined> {
    const control = new Int32Array(memory.buffer, pointer, CONTROL_WORDS).fill(0);
    const { default: source } = await import('../../binaries/pool-worker.js');
    const shared = { module, memory, control: pointer, controlWords: CONTROL_WORDS, instructionBytes: INSTRUCTION_BYTES };
    const others = Array.from({ length: threads - 1 }, (_, i) => startWorker(startThread, source, { ...shared, thread: i + 1 }));
    const workers = (await Promise.all(others)).filter((worker) => worker !== undefined);
    if (workers.length === threads - 1) return new Pool(threads, execute, control, workers);
    for (const worker of workers) worker.terminate();
    return undefined;
  }

  /**
   * Runs instructions, each shared out among all threads.
   *
   * @returns false where helpers stayed away: nothing is known of this memory then, and a late one may still write to it
   */
  run(program: number, count: number): boolean {
    const control = this.control;
    control[PROGRAM] = program;
    control[COUNT] = count;
    control[THREADS] = this.threads;
    Atomics.add(control, GENERATION, 1);
    Atomics.notify(control, GENERATION);
    let deadline = performance.now() + PATIENCE_MILLISECONDS;
    const execute: typeof this.execute = (...share) => {
      this.execute(...share);
      deadline = performance.now() + PATIENCE_MILLISECONDS;
    };
    const isPatient = () => performance.now() < deadline;
    if (runShare(execute, control, 0, INSTRUCTION_BYTES, platform.mainThreadMaySleep, isPatient)) return true;
    for (const worker of this.workers) worker.terminate();
    return false;
  }

  /** The workers end by themselves. */
  dispose(): void {
    this.control[THREADS] = 0;
    Atomics.add(this.control, GENERATION, 1);
    Atomics.notify(this.control, GENERATION);
  }
}
