import { readFileSync } from 'node:fs';
import binaryen from 'assemblyscript/binaryen';

/** How a processor's dot product takes its second operand. */
export type Dot = 'signed' | 'unsigned';

/**
 * The relaxed binary for an engine without relaxed SIMD: its two relaxed instructions are functions of plain SIMD, which compute what
 * the specification of relaxed SIMD lets an engine compute. So every kernel is tested wherever there is SIMD, on any processor.
 */
export function relaxedModule(dot: Dot): Promise<WebAssembly.Module> {
  // Operands lie on the stack: an instruction may become a call.
  const text = readFileSync('build/relaxed.wat', 'utf8')
    .replace(/\bf32x4\.relaxed_madd\b/g, 'call $emulated_madd')
    .replace(/\bi32x4\.relaxed_dot_i8x16_i7x16_add_s\b/g, 'call $emulated_dot')
    .replace(/\)\s*$/, `${FUNCTIONS(dot === 'signed' ? 's' : 'u')})`);
  const module = binaryen.parseText(text);
  module.setFeatures(binaryen.Features.SIMD128 | binaryen.Features.BulkMemory | binaryen.Features.MutableGlobals);
  const binary = module.emitBinary();
  module.dispose();
  return WebAssembly.compile(binary as Uint8Array<ArrayBuffer>);
}

/** Products of i8 with i8 or u8 fit into i16, and the sum of four into i32. */
const FUNCTIONS = (second: 's' | 'u') => `
  (func $emulated_madd (param $x v128) (param $w v128) (param $a v128) (result v128)
    (f32x4.add (local.get $a) (f32x4.mul (local.get $x) (local.get $w))))
  (func $emulated_dot (param $a v128) (param $b v128) (param $sum v128) (result v128)
    (local $low v128) (local $high v128)
    (local.set $low (i32x4.extadd_pairwise_i16x8_s
      (i16x8.mul (i16x8.extend_low_i8x16_s (local.get $a)) (i16x8.extend_low_i8x16_${second} (local.get $b)))))
    (local.set $high (i32x4.extadd_pairwise_i16x8_s
      (i16x8.mul (i16x8.extend_high_i8x16_s (local.get $a)) (i16x8.extend_high_i8x16_${second} (local.get $b)))))
    (i32x4.add (local.get $sum) (i32x4.add
      (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $low) (local.get $high))
      (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $low) (local.get $high)))))
`;
