// What a pool's worker runs: bundled into a string (scripts/build-workers.mjs), so that it needs no file beside it.
import { GENERATION, runShare, THREADS } from './control.js';

export interface Start {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where the control words lie. */
  readonly control: number;
  readonly controlWords: number;
  readonly instructionBytes: number;
  readonly thread: number;
}

/** Looks at the clock about every ten microseconds; what inference follows another within this time finds us awake. */
const AWAKE_MILLISECONDS = 1;

interface NodeWorkerThreads {
  readonly parentPort: { once(event: string, heard: (start: Start) => void): void; postMessage(message: unknown): void };
}
declare const require: (name: string) => NodeWorkerThreads;

async function work({ module, memory, control: pointer, controlWords, instructionBytes, thread }: Start, ready: () => void): Promise<void> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const execute = exports['execute'] as Parameters<typeof runShare>[0];
  const control = new Int32Array(memory.buffer, pointer, controlWords);
  let generation = Atomics.load(control, GENERATION);
  ready();
  for (;;) {
    const sleepAt = performance.now() + AWAKE_MILLISECONDS;
    while (Atomics.load(control, GENERATION) === generation && performance.now() < sleepAt);
    Atomics.wait(control, GENERATION, generation);
    generation = Atomics.load(control, GENERATION);
    if (control[THREADS] === 0) return;
    runShare(execute, control, thread, instructionBytes, true, () => true);
  }
}

// Not by `typeof require`, which bundling makes a function everywhere.
if (typeof process !== 'undefined' && process.versions?.node) {
  const { parentPort } = require('node:worker_threads');
  parentPort.once('message', (start) => work(start, () => parentPort.postMessage('ready')));
} else {
  self.onmessage = ({ data }: MessageEvent<Start>) => work(data, () => self.postMessage('ready')).then(() => self.close());
}
