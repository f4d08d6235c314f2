import type { Engine } from './engine.js';

/** What a processor and its engine are good at, told by values that they give. */
export interface Machine {
  /** arm64: it has twice the registers of x86, and pays for other instructions. */
  readonly arm: boolean;
  /**
   * How the relaxed dot product of bytes treats its second operand; undefined where there is none, or where its sums are not
   * exact: PMADDUBSW saturates on x86 without AVX-VNNI.
   */
  readonly dot: 'signed' | 'unsigned' | undefined;
}

const machines = new WeakMap<WebAssembly.Module, Machine>();

/** Bytes that show a wrong dot product: the ends of the ranges in use, in all places, and others. */
function samples(): { a: Int8Array; b: Int8Array }[] {
  const pairs: { a: Int8Array; b: Int8Array }[] = [];
  for (const a of [-127, -1, 0, 1, 127]) {
    for (const b of [-128, -1, 0, 1, 127]) pairs.push({ a: new Int8Array(16).fill(a), b: new Int8Array(16).fill(b) });
  }
  for (let round = 0; round < 16; round++) {
    const mixed = (factor: number) =>
      Int8Array.from({ length: 16 }, (_, i) => Math.max(-127, (((i + 1) * factor * (2 * round + 1)) << 24) >> 24));
    pairs.push({ a: mixed(37), b: mixed(59) });
  }
  return pairs;
}

function expected(a: Int8Array, b: Int8Array, unsigned: boolean): number[] {
  const sums = [0, 0, 0, 0];
  for (let i = 0; i < 16; i++) sums[i >> 2] = (sums[i >> 2] as number) + (a[i] as number) * ((b[i] as number) & (unsigned ? 255 : -1));
  return sums;
}

/** The machine that an engine runs on; asked once a module. */
export function machineOf(engine: Engine): Machine {
  let machine = machines.get(engine.module);
  if (!machine) {
    machine = { arm: engine.exports.zero_over_zero(0) > 0, dot: dotOf(engine) };
    machines.set(engine.module, machine);
  }
  return machine;
}

function dotOf(engine: Engine): Machine['dot'] {
  const mark = engine.mark();
  const pointer = engine.allocate(48);
  const dot = ({ a, b }: { a: Int8Array; b: Int8Array }) => {
    engine.bytes(pointer, 48).fill(0x55);
    engine.bytes(pointer, 16).set(new Uint8Array(a.buffer));
    engine.bytes(pointer + 16, 16).set(new Uint8Array(b.buffer));
    engine.exports.dot_bytes(pointer, pointer + 16, pointer + 32);
    return [...engine.ints(pointer + 32, 4)].join();
  };
  const all = samples().map(({ a, b }) => ({ a, b, sums: dot({ a, b }) }));
  engine.release(mark);
  const is = (unsigned: boolean) => all.every(({ a, b, sums }) => sums === expected(a, b, unsigned).join());
  return is(false) ? 'signed' : is(true) ? 'unsigned' : undefined;
}
