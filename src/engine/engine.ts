import platform from '#platform';
import { OutOfMemoryError } from '../errors.js';
import type { Exports } from './exports.js';
import { detectFeatures } from './features.js';
import { type EngineMemory, ownMemory, sharedMemory } from './memory.js';
import { automaticThreads } from './threads/count.js';
import type { Pool, StartThread } from './threads/pool.js';
import { type CompiledModule, chooseVariant, compile, type Simd, type Variant } from './variants.js';

const PAGE = 65536;

/** How many threads to start: fewer than wanted, down to one, where the platform has no more. That is no error. */
const settleThreads = (threads: number | 'auto'): number =>
  detectFeatures().threads ? (threads === 'auto' ? automaticThreads() : threads) : 1;

/** The module that an engine of these options runs. */
export const moduleFor = (simd: Simd = 'auto', threads: number | 'auto' = 1): Promise<CompiledModule> =>
  compile(chooseVariant(simd), settleThreads(threads) > 1);

/** One wasm instance with a memory of its own, and the allocator that hands that memory out. */
export class Engine {
  private top: number;
  private pool: Pool | undefined;

  private constructor(
    readonly variant: Variant,
    private readonly own: EngineMemory,
    readonly exports: Exports,
    readonly module: WebAssembly.Module,
  ) {
    this.top = exports.heapBase();
  }

  static async create(simd: Simd = 'auto', threads: number | 'auto' = 1, startThread: StartThread = platform.startThread): Promise<Engine> {
    const variant = chooseVariant(simd);
    const wanted = settleThreads(threads);
    // Where no memory can be shared, one thread does the work.
    const own = (wanted > 1 ? sharedMemory() : undefined) ?? ownMemory();
    const { memory } = own;
    const { module } = await compile(variant, own.shared);
    const { exports } = await platform.instantiate(module, { env: { memory } });
    const engine = new Engine(variant, own, exports as unknown as Exports, module);
    if (own.shared) {
      const { CONTROL_BYTES, Pool } = await import('./threads/pool.js');
      const control = engine.allocate(CONTROL_BYTES);
      engine.pool = await Pool.start(wanted, module, memory, control, engine.exports.execute, startThread);
    }
    return engine;
  }

  get memory(): WebAssembly.Memory {
    return this.own.memory;
  }

  get threads(): number {
    return this.pool?.threads ?? 1;
  }

  /** The same code on a memory of its own, without helping threads. */
  alone(): Engine {
    // What is compiled for shared memory takes no other.
    const own = this.own.shared ? sharedMemory() : ownMemory();
    if (!own)
      throw new OutOfMemoryError(
        'out of memory: this engine gives no more memory that threads share; load the model again with threads: 1.',
      );
    const { exports } = new WebAssembly.Instance(this.module, { env: { memory: own.memory } });
    return new Engine(this.variant, own, exports as unknown as Exports, this.module);
  }

  /**
   * Runs instructions that follow each other in memory, on all threads.
   *
   * @returns false where helping threads stayed away: this engine is of no use any more, alone() gives one that is
   */
  run(program: number, count: number): boolean {
    if (this.pool) return this.pool.run(program, count);
    this.runAlone(program, count);
    return true;
  }

  /** The same on the calling thread: the same bits, and nobody to wait for. */
  runAlone(program: number, count: number): void {
    this.exports.execute(program, count, 0, 1);
  }

  /** Ends the workers. */
  dispose(): void {
    this.pool?.dispose();
    this.pool = undefined;
  }

  /** Where the next allocation begins; release() gives back what was allocated since. */
  mark(): number {
    return this.top;
  }

  release(mark: number): void {
    this.top = mark;
  }

  /** Bytes at a multiple of 64, with 64 more behind that a kernel may read. */
  allocate(bytes: number): number {
    const pointer = Math.ceil(this.top / 64) * 64;
    const top = pointer + bytes + 64;
    const missing = Math.ceil((top - this.memory.buffer.byteLength) / PAGE);
    if (missing > 0) {
      const pages = this.memory.buffer.byteLength / PAGE;
      // A RangeError by the engine's own hand would not say what to do.
      if (!(pages + missing <= this.own.mostPages) || grow(this.memory, missing) < 0) {
        const need = `out of memory: this needs ${Math.round(top / 2 ** 20)} MiB of WebAssembly memory`;
        const most = `the ${(this.own.mostPages * PAGE) / 2 ** 20} MiB that memory shared by threads may have; use threads: 1`;
        throw new OutOfMemoryError(`${need}, more than ${this.own.shared ? most : 'this engine gives'}, or a smaller input.`);
      }
    }
    this.top = top;
    return pointer;
  }

  floats = (pointer: number, length: number) => new Float32Array(this.memory.buffer, pointer, length);
  bytes = (pointer: number, length: number) => new Uint8Array(this.memory.buffer, pointer, length);
  ints = (pointer: number, length: number) => new Int32Array(this.memory.buffer, pointer, length);
  shorts = (pointer: number, length: number) => new Int16Array(this.memory.buffer, pointer, length);
}

function grow(memory: WebAssembly.Memory, pages: number): number {
  try {
    return memory.grow(pages);
  } catch {
    return -1;
  }
}
