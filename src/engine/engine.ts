import platform from '#platform';
import { OutOfMemoryError, UnsupportedModelError } from '../errors.js';
import { CONTROL_WORDS } from './threads/control.js';
import { automaticThreads, Pool } from './threads/pool.js';

export type Simd = 'auto' | 'baseline' | 'relaxed';

export type Variant = 'baseline' | 'relaxed';

export interface Features {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  readonly threads: boolean;
  readonly crossOriginIsolated: boolean;
}

// The smallest modules that validate only where the feature is there: a function of one vector instruction.
const bytesOf = (...body: number[]) =>
  new Uint8Array([
    0,
    97,
    115,
    109,
    1,
    0,
    0,
    0,
    1,
    5,
    1,
    96,
    0,
    1,
    123,
    3,
    2,
    1,
    0,
    10,
    body.length + 4,
    1,
    body.length + 2,
    0,
    ...body,
    11,
  ]);
const SIMD_PROBE = bytesOf(65, 0, 253, 15, 253, 98); // i32.const 0; i8x16.splat; i8x16.popcnt
const RELAXED_PROBE = bytesOf(65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2); // i8x16.relaxed_swizzle

/** What this engine can do; nothing is compiled or kept. */
export function detectFeatures(): Features {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  const node = typeof process !== 'undefined' && Boolean(process.versions?.node);
  const shared = typeof SharedArrayBuffer !== 'undefined';
  return {
    simd: WebAssembly.validate(SIMD_PROBE),
    relaxedSimd: WebAssembly.validate(RELAXED_PROBE),
    threads: shared && (node || isolated === true),
    crossOriginIsolated: node || isolated === true,
  };
}

/** What the wasm exports; all numbers are pointers and counts. */
interface Exports extends Record<string, unknown> {
  heapBase(): number;
  execute(program: number, count: number, thread: number, threads: number): void;
  pack_dense_i8(
    source: number,
    target: number,
    sums: number,
    kernelHeight: number,
    kernelWidth: number,
    inputChannels: number,
    sourceChannels: number,
    channels: number,
    run: number,
    zeroPoint: number,
    elementBytes: number,
  ): void;
  pack_scales(
    scales: number,
    gateScales: number,
    channels: number,
    inputScale: number,
    inputScales: number,
    outputScale: number,
    outputScales: number,
    gain: number,
  ): void;
  pack_depthwise_i8(
    source: number,
    target: number,
    sums: number,
    kernelHeight: number,
    kernelWidth: number,
    channels: number,
    zeroPoint: number,
  ): void;
  resize_horizontal(
    input: number,
    output: number,
    height: number,
    sourceWidth: number,
    channels: number,
    width: number,
    table: number,
    taps: number,
  ): void;
  resize_vertical_normalize(
    input: number,
    output: number,
    width: number,
    height: number,
    table: number,
    taps: number,
    scaleAndOffset: number,
  ): void;
  f32_resize(
    input: number,
    output: number,
    sourceWidth: number,
    channels: number,
    height: number,
    width: number,
    rows: number,
    rowTaps: number,
    columns: number,
    columnTaps: number,
  ): void;
}

const PAGE = 65536;
/** Pages that a memory may grow to: 1 GiB, far above any network of the family, far below what breaks a page. */
const MAXIMUM_PAGES = 16384;

/** One wasm instance with a memory of its own, and the allocator that hands that memory out. */
export class Engine {
  private top: number;

  private pool: Pool | undefined;

  private constructor(
    readonly variant: Variant,
    readonly memory: WebAssembly.Memory,
    readonly exports: Exports,
  ) {
    this.top = exports.heapBase();
  }

  /** `threads` above what is to be had means fewer, down to one, and no error. */
  static async create(simd: Simd = 'auto', threads: number | 'auto' = 1): Promise<Engine> {
    const { variant, threads: wanted } = settle(simd, threads);
    const shared = wanted > 1;
    const memory = new WebAssembly.Memory({ initial: 1, maximum: MAXIMUM_PAGES, shared });
    const module = await compiled(variant, shared);
    const { exports } = await platform.instantiate(module, { env: { memory } });
    const engine = new Engine(variant, memory, exports as unknown as Exports);
    if (shared) {
      const control = engine.allocate(CONTROL_WORDS * 4);
      engine.pool = await Pool.start(wanted, module, memory, control, engine.exports.execute);
    }
    return engine;
  }

  get threads(): number {
    return this.pool?.threads ?? 1;
  }

  /** Runs instructions that follow each other in memory, on all threads. */
  run(program: number, count: number): void {
    const { pool } = this;
    if (!pool) {
      this.exports.execute(program, count, 0, 1);
      return;
    }
    try {
      pool.run(program, count);
    } catch (error) {
      this.pool = undefined;
      throw error;
    }
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
      if (!(pages + missing <= MAXIMUM_PAGES) || grow(this.memory, missing) < 0) {
        throw new OutOfMemoryError(
          `out of memory: ${Math.round(top / 2 ** 20)} MiB of WebAssembly memory are not to be had; use a smaller input.`,
        );
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

/** The memory import's limits in a binary: "env" "memory", kind 2, then the flag: 1 is "has a maximum", 3 also "shared". */
const MEMORY_IMPORT = [3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2, 1];

function withSharedMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = binary.findIndex((_, i) => MEMORY_IMPORT.every((byte, j) => binary[i + j] === byte));
  binary[at + MEMORY_IMPORT.length - 1] = 3;
  return binary;
}

/** The two binaries lie in one stream, chunk by chunk in turn (scripts/build-wasm.mjs). */
async function binaryOf(variant: Variant): Promise<Uint8Array<ArrayBuffer>> {
  const { BYTES, CHUNK, GZIP } = await import('../engine/binaries/kernels.js');
  const both = await platform.gunzip(Uint8Array.from(atob(GZIP), (c) => c.charCodeAt(0)));
  const binary = new Uint8Array(BYTES[variant]);
  let from = 0;
  for (let at = 0; at < Math.max(BYTES.baseline, BYTES.relaxed); at += CHUNK) {
    for (const name of ['baseline', 'relaxed'] as const) {
      const length = Math.max(0, Math.min(CHUNK, BYTES[name] - at));
      if (name === variant) binary.set(both.subarray(from, from + length), at);
      from += length;
    }
  }
  return binary;
}

/** What `simd` and `threads` come to on this engine. */
function settle(simd: Simd, threads: number | 'auto'): { variant: Variant; threads: number } {
  const features = detectFeatures();
  if (!features.simd) {
    throw new UnsupportedModelError('this engine has no WebAssembly SIMD, which every browser since 2023 and Node since 16.4 has.');
  }
  if (simd === 'relaxed' && !features.relaxedSimd) {
    throw new UnsupportedModelError("this engine has no relaxed SIMD; use simd: 'auto' or 'baseline'.");
  }
  const variant = simd === 'auto' ? (features.relaxedSimd ? 'relaxed' : 'baseline') : simd;
  return { variant, threads: features.threads ? (threads === 'auto' ? automaticThreads() : threads) : 1 };
}

const modules = new Map<string, Promise<WebAssembly.Module>>();
const keyOf = (variant: Variant, shared: boolean) => `${variant} ${shared}`;

/** Each variant is compiled once; instances share it. Threads need the same code with its memory declared as shared. */
function compiled(variant: Variant, shared: boolean): Promise<WebAssembly.Module> {
  const key = keyOf(variant, shared);
  let module = modules.get(key);
  if (!module) {
    module = binaryOf(variant).then((binary) => WebAssembly.compile(shared ? withSharedMemory(binary) : binary));
    modules.set(key, module);
  }
  return module;
}

/** A module that was compiled on one thread, for another. */
export interface CompiledModule {
  readonly key: string;
  readonly module: WebAssembly.Module;
}

export async function moduleFor(simd: Simd = 'auto', threads: number | 'auto' = 1): Promise<CompiledModule> {
  const settled = settle(simd, threads);
  const shared = settled.threads > 1;
  return { key: keyOf(settled.variant, shared), module: await compiled(settled.variant, shared) };
}

export function adoptModule({ key, module }: CompiledModule): void {
  modules.set(key, Promise.resolve(module));
}
