import { Engine, moduleFor } from '../../src/engine/engine.js';
import type { Exports } from '../../src/engine/exports.js';
import { detectFeatures } from '../../src/engine/features.js';
import { FIELDS, INSTRUCTION_BYTES } from '../../src/engine/instruction.js';
import { Kernel } from '../../src/engine/kernel.js';
import { adoptModule } from '../../src/engine/variants.js';
import type { WayName } from '../../src/runtime/way.js';
import { type Dot, relaxedModule } from './emulated.js';

/** The relaxed kernels on a processor with an exact dot product of bytes: of signed ones on arm64, of unsigned ones on x86. */
async function emulated(dot: Dot): Promise<Engine> {
  const original = await moduleFor('baseline');
  adoptModule({ ...original, module: await relaxedModule(dot) });
  const engine = await Engine.create('baseline');
  adoptModule(original);
  const bits = dot === 'signed' ? 0x7fc00000 : -0x400000;
  const exports = { ...engine.exports, zero_over_zero: () => bits };
  return Object.create(engine, { module: { value: {} }, exports: { value: exports } }) as Engine;
}

/** Memory as other tensors leave it: what reads where nothing was written gets not-a-number, or -1. */
function littered(engine: Engine): Engine {
  const mark = engine.mark();
  const bytes = 1 << 18;
  engine.bytes(engine.allocate(bytes), bytes).fill(0xff);
  engine.release(mark);
  engine.bytes(0, NOWHERE).fill(0xff);
  return engine;
}

/** AssemblyScript leaves these first bytes of memory to null pointers. */
const NOWHERE = 1024;

/** The same engine with another way to run a program. */
const running = (engine: Engine, threads: number, execute: Exports['execute']): Engine =>
  Object.create(engine, { threads: { value: threads }, exports: { value: { ...engine.exports, execute } } }) as Engine;

/** The same engine with every instruction computed as `threads` shares, one after the other: what threads do at once. */
export const inShares = (engine: Engine, threads: number): Engine =>
  running(engine, threads, (program, count) => {
    for (let i = 0; i < count; i++) {
      for (let thread = 0; thread < threads; thread++) engine.exports.execute(program + i * INSTRUCTION_BYTES, 1, thread, threads);
    }
  });

/** The same engine, where an instruction that writes outside of its output is an error. */
export function guarded(engine: Engine): Engine {
  const first = engine.exports.heapBase();
  let before = Buffer.alloc(0);
  return running(engine, engine.threads, (program, count, thread, threads) => {
    for (let i = 0; i < count; i++) {
      const at = program + i * INSTRUCTION_BYTES;
      const memory = Buffer.from(engine.memory.buffer, first);
      if (before.length !== memory.length) before = Buffer.alloc(memory.length);
      memory.copy(before);
      engine.exports.execute(at, 1, thread, threads);
      for (const [from, to] of outputsOf(engine.ints(at, FIELDS.length), thread))
        memory.copy(before, from - first, from - first, to - first);
      if (memory.equals(before)) continue;
      const where = first + memory.findIndex((byte, j) => byte !== before[j]);
      throw new Error(`${Kernel[engine.ints(at, 1)[0] as number]} writes to ${where}, outside of its output.`);
    }
  });
}

/** The stretches of memory, from and to, that one thread's share of an instruction may write to. */
function* outputsOf(words: Int32Array, thread: number): Generator<[number, number]> {
  const word = (name: (typeof FIELDS)[number]) => words[FIELDS.indexOf(name)] as number;
  const [output, stride, height] = [word('output'), word('outputRowStride'), Math.max(word('height'), 1)];
  const name = Kernel[word('kernel')] as string;
  if (name === 'clear_halo') {
    const [row, corner] = [word('width') * word('pixelBytes'), word('padTop') * stride + word('padLeft') * word('pixelBytes')];
    yield [output - corner, output];
    for (let y = 0; y < height - 1; y++) yield [output + y * stride + row, output + (y + 1) * stride];
    const end = output - corner + (word('padTop') + height + word('rowsBelow')) * stride;
    yield [output + (height - 1) * stride + row, end];
    return;
  }
  const bytes = Math.max(word('width'), 1) * word('channels') * (/^f32|dequantize/.test(name) ? 4 : 2);
  for (let y = 0; y < height; y++) yield [output + y * stride, output + y * stride + bytes];
  const [scratch, own] = [word('scratch'), word('scratchBytes')];
  if (own > 0) yield [scratch + thread * own, scratch + (thread + 1) * own];
}

/** Memory of its own for what no program writes, in the midst of bytes that must stay. */
export function fenced(engine: Engine, bytes: number): { readonly pointer: number; readonly isIntact: () => boolean } {
  const FENCE = 0x5b;
  const [first, pointer, last] = [engine.allocate(64), engine.allocate(bytes), engine.allocate(1024)];
  engine.bytes(first, last + 1024 - first).fill(FENCE);
  engine.bytes(pointer, bytes).fill(0);
  const isFence = (from: number, to: number) => engine.bytes(from, to - from).every((byte) => byte === FENCE);
  return { pointer, isIntact: () => isFence(first, pointer) && isFence(pointer + bytes, last + 1024) };
}

export interface Machine {
  readonly name: string;
  readonly way: WayName;
  readonly engine: () => Promise<Engine>;
}

const variants = detectFeatures().relaxedSimd ? (['baseline', 'relaxed'] as const) : (['baseline'] as const);
const machine = (name: string, way: WayName, create: () => Promise<Engine>): Machine => ({
  name,
  way,
  engine: async () => littered(await create()),
});

/** What every kernel test runs on: each variant and way that there is here, and planes on processors that have them. */
export const MACHINES: readonly Machine[] = [
  ...variants.flatMap((simd) =>
    (['pairs', 'products'] as const).map((way) => machine(`${simd} SIMD, ${way}`, way, () => Engine.create(simd))),
  ),
  machine('planes, signed bytes', 'planes', () => emulated('signed')),
  machine('planes, unsigned bytes', 'planes', () => emulated('unsigned')),
];
