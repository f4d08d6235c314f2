import fc from 'fast-check';
import { MobileNetError } from '../../src/errors.js';
import { bytesSource } from '../../src/source/source.js';
import type { Source } from '../../src/source/types.js';
import { readNetwork } from '../../src/weights/load.js';

// Files that were changed on their way, and what every reader owes whoever gives it one.

/** A thousand inputs a reader in every run; npm run soak, 200,000. */
export const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1000);
const PATIENCE_MILLISECONDS = 1000;
/** Of the file's own bytes, and what a small file may take besides. */
const MOST_MEMORY = { times: 24, besides: 64 << 20 };

/** Numbers that lengths, offsets and counts break at. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

type Change =
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'extreme'; readonly at: number; readonly value: number; readonly bytes: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'splice'; readonly from: number; readonly at: number; readonly length: number };

export function changed(file: Uint8Array, changes: readonly Change[]): Uint8Array {
  let bytes = file.slice();
  for (const change of changes) {
    const at = change.at % Math.max(1, bytes.length);
    if (change.kind === 'flip') bytes[at] = (bytes[at] ?? 0) ^ (1 << change.bit);
    else if (change.kind === 'extreme') {
      for (let i = 0; i < change.bytes && at + i < bytes.length; i++)
        bytes[at + i] = i < 4 ? (change.value >>> (8 * i)) & 255 : change.value > 0x7fffffff ? 255 : 0;
    } else if (change.kind === 'cut') bytes = bytes.slice(0, at);
    else bytes.copyWithin(at, change.from % bytes.length, (change.from % bytes.length) + change.length);
  }
  return bytes;
}

/** Changes where a file's structure is: `structure` lists its ranges. What lies between is weights. */
export function changesOf(structure: readonly (readonly [number, number])[], length: number): fc.Arbitrary<Change[]> {
  const inside = fc.oneof(...structure.map(([from, to]) => fc.integer({ min: from, max: Math.max(from, to - 1) })));
  const at = fc.oneof({ weight: 9, arbitrary: inside }, { weight: 1, arbitrary: fc.integer({ min: 0, max: length - 1 }) });
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('flip' as const), at, bit: fc.integer({ min: 0, max: 7 }) }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('extreme' as const),
        at,
        value: fc.constantFrom(...EXTREMES),
        bytes: fc.constantFrom(1, 2, 4, 8),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('splice' as const), from: inside, at, length: fc.integer({ min: 1, max: 64 }) }),
    },
  );
  return fc.array(change, { minLength: 1, maxLength: 4 });
}

/** @param beside what the file names beside it, if it does */
export async function survives(bytes: Uint8Array, beside?: Source['beside']): Promise<void> {
  const before = process.memoryUsage().arrayBuffers;
  // Processor time: what else the machine does is not the reader's doing.
  const start = process.cpuUsage();
  try {
    await readNetwork({ ...bytesSource(bytes), ...(beside ? { beside } : {}) });
  } catch (error) {
    if (!(error instanceof MobileNetError)) throw error;
  }
  const { user, system } = process.cpuUsage(start);
  expect((user + system) / 1000).toBeLessThan(PATIENCE_MILLISECONDS);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(MOST_MEMORY.times * bytes.length + MOST_MEMORY.besides);
}
