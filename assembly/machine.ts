// What kind of processor computes here: told by values that it gives, never by its name.

/** The relaxed dot product of 16 bytes at `a` and 16 at `b`, four i32 at `target`; nothing is written where there is none. */
export function dot_bytes(a: usize, b: usize, target: usize): void {
  if (!ASC_FEATURE_RELAXED_SIMD) return;
  v128.store(target, i32x4.relaxed_dot_i8x16_i7x16_add_s(v128.load(a), v128.load(b), i32x4.splat(0)));
}

/** The bits of 0 / 0, `zero` being 0: the sign is set on x86 and not on arm64. */
export function zero_over_zero(zero: f32): i32 {
  return reinterpret<i32>(zero / zero);
}
