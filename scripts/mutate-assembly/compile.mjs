// Mutated sources to a binary. The relaxed variants compute what the specification of relaxed SIMD permits in plain SIMD, so that any
// engine runs them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

/** @typedef {'baseline' | 'signed' | 'unsigned'} Binary without relaxed SIMD; or how its dot product takes the second operand */
export const BINARIES = ['baseline', 'signed', 'unsigned'];

const widen = (binary, half) => `i16x8.extend_${half}_i8x16_${binary === 'unsigned' ? 'u' : 's'}(b)`;

/** What mutated sources import. Every mutant counts as a step: one that does not end traps when its steps are spent. */
const runtime = (mutants, binary) => `
const seen = memory.data(${mutants});
export let mutant: i32 = 0;
export let steps: i32 = 0;
export function placesSeen(): usize { return seen; }
// @ts-ignore: decorator
@inline
export function on(id: i32): bool {
  if (--steps == 0) unreachable();
  store<u8>(seen + id, 1);
  return id == mutant;
}
export function relaxed_madd(x: v128, w: v128, a: v128): v128 { return f32x4.add(a, f32x4.mul(x, w)); }
export function relaxed_dot(a: v128, b: v128, sum: v128): v128 {
  const low = i16x8.mul(i16x8.extend_low_i8x16_s(a), ${widen(binary, 'low')});
  const high = i16x8.mul(i16x8.extend_high_i8x16_s(a), ${widen(binary, 'high')});
  const l = i32x4.extadd_pairwise_i16x8_s(low);
  const h = i32x4.extadd_pairwise_i16x8_s(high);
  const even = v128.shuffle<i32>(l, h, 0, 2, 4, 6);
  return i32x4.add(sum, i32x4.add(even, v128.shuffle<i32>(l, h, 1, 3, 5, 7)));
}
`;

/**
 * @param sources texts by file, as schemata.mjs makes them
 * @param mutants how many there are
 * @param {Binary} binary
 * @returns {Promise<Uint8Array>}
 */
export async function compile(root, sources, mutants, binary) {
  const texts = new Map([['assembly/mutation.ts', runtime(mutants, binary)]]);
  for (const [file, text] of sources) texts.set(file, plain(text, binary));
  const entry = 'assembly/index.ts';
  texts.set(entry, `${texts.get(entry)}\nexport { mutant, steps, placesSeen } from './mutation';\n`);
  let result;
  const { error, stderr } = await asc.main(
    [
      entry,
      '-O1',
      '--noAssert',
      '--runtime',
      'stub',
      '--importMemory',
      '--maximumMemory',
      '16384',
      '--use',
      'abort=',
      '--enable',
      'simd',
      '--disableWarning',
      '112',
      '--outFile',
      'out.wasm',
    ],
    {
      readFile: (name) => {
        const file = name.replaceAll('\\', '/').replace(/^(\.\/)?/, '');
        if (texts.has(file)) return texts.get(file);
        try {
          return file.startsWith('assembly/') ? null : readFileSync(join(root, file), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_, contents) => {
        result = contents;
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(`the mutated sources do not compile (${binary}): ${stderr}`);
  return result;
}

const plain = (text, binary) =>
  text
    .replaceAll('ASC_FEATURE_RELAXED_SIMD', String(binary !== 'baseline'))
    .replaceAll('f32x4.relaxed_madd(', 'relaxed_madd(')
    .replaceAll('i32x4.relaxed_dot_i8x16_i7x16_add_s(', 'relaxed_dot(');
