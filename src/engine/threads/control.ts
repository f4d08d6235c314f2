/**
 * How a pool's threads agree, in shared memory; words of 32 bits, each on a cache line of its own.
 *
 *   PHASE      counts barriers; who waits at one spins until it moves
 *   ARRIVED    how many have come to the present barrier
 *   SLEEPERS   how many sleep there instead
 *   GENERATION counts programs; idle workers sleep on it
 *   PROGRAM, COUNT, THREADS   what to run; no threads: the workers are to end
 */
const PHASE = 0;
const ARRIVED = 16;
const SLEEPERS = 17;
export const GENERATION = 32;
export const PROGRAM = 48;
export const COUNT = 49;
export const THREADS = 50;
export const CONTROL_WORDS = 64;

/** About a hundred microseconds: longer than any wait where each thread has a core of its own. */
const SPINS = 20_000;
const SLEEP_MILLISECONDS = 50;

/**
 * Meets the other threads. Spins, and sleeps only when that takes long: then the threads are more than the cores.
 * False when the others do not come in time: one of them died.
 */
function barrier(control: Int32Array, threads: number, maySleep: boolean, patience: () => boolean): boolean {
  const phase = Atomics.load(control, PHASE);
  if (Atomics.add(control, ARRIVED, 1) === threads - 1) {
    Atomics.store(control, ARRIVED, 0);
    Atomics.add(control, PHASE, 1);
    if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, PHASE);
    return true;
  }
  for (let spins = 1; Atomics.load(control, PHASE) === phase; spins++) {
    if (spins % SPINS !== 0) continue;
    if (!patience()) return false;
    if (!maySleep) continue;
    Atomics.add(control, SLEEPERS, 1);
    Atomics.wait(control, PHASE, phase, SLEEP_MILLISECONDS);
    Atomics.sub(control, SLEEPERS, 1);
  }
  return true;
}

/** One thread's share of a program: its part of each instruction, then the barrier. */
export function runShare(
  execute: (program: number, count: number, thread: number, threads: number) => void,
  control: Int32Array,
  thread: number,
  instructionBytes: number,
  maySleep: boolean,
  patience: () => boolean,
): boolean {
  const program = control[PROGRAM] as number;
  const count = control[COUNT] as number;
  const threads = control[THREADS] as number;
  for (let i = 0; i < count; i++) {
    execute(program + i * instructionBytes, 1, thread, threads);
    if (!barrier(control, threads, maySleep, patience)) return false;
  }
  return true;
}
