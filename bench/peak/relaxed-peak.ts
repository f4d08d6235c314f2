// The same of relaxed SIMD: a module of its own, for engines that have it. Eight chains: a fused multiply-add takes longer.

/** 4 multiply-adds a chain and step. */
export function f32_relaxed_madd(buffer: usize, steps: i32): f32 {
  const w0 = v128.load(buffer, 0);
  const w1 = v128.load(buffer, 16);
  const w2 = v128.load(buffer, 32);
  const w3 = v128.load(buffer, 48);
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let e = f32x4.splat(0);
  let f = f32x4.splat(0);
  let g = f32x4.splat(0);
  let h = f32x4.splat(0);
  for (let n = 0; n < steps; n++) {
    const at = buffer + <usize>(n & 15) * 64;
    const x00 = v128.load(at, 0);
    const x01 = v128.load(at, 16);
    a = f32x4.relaxed_madd(x00, w0, a);
    b = f32x4.relaxed_madd(x00, w1, b);
    c = f32x4.relaxed_madd(x00, w2, c);
    d = f32x4.relaxed_madd(x00, w3, d);
    e = f32x4.relaxed_madd(x01, w0, e);
    f = f32x4.relaxed_madd(x01, w1, f);
    g = f32x4.relaxed_madd(x01, w2, g);
    h = f32x4.relaxed_madd(x01, w3, h);
  }
  return f32x4.extract_lane(f32x4.add(f32x4.add(f32x4.add(f32x4.add(f32x4.add(f32x4.add(f32x4.add(a, b), c), d), e), f), g), h), 0);
}

/** 16 multiply-adds a chain and step. */
export function i8_relaxed_dot_add(buffer: usize, steps: i32): i32 {
  const w0 = v128.load(buffer, 0);
  const w1 = v128.load(buffer, 16);
  const w2 = v128.load(buffer, 32);
  const w3 = v128.load(buffer, 48);
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  let c = i32x4.splat(0);
  let d = i32x4.splat(0);
  let e = i32x4.splat(0);
  let f = i32x4.splat(0);
  let g = i32x4.splat(0);
  let h = i32x4.splat(0);
  for (let n = 0; n < steps; n++) {
    const at = buffer + <usize>(n & 15) * 64;
    const x00 = v128.load(at, 0);
    const x01 = v128.load(at, 16);
    a = i32x4.relaxed_dot_i8x16_i7x16_add_s(x00, w0, a);
    b = i32x4.relaxed_dot_i8x16_i7x16_add_s(x00, w1, b);
    c = i32x4.relaxed_dot_i8x16_i7x16_add_s(x00, w2, c);
    d = i32x4.relaxed_dot_i8x16_i7x16_add_s(x00, w3, d);
    e = i32x4.relaxed_dot_i8x16_i7x16_add_s(x01, w0, e);
    f = i32x4.relaxed_dot_i8x16_i7x16_add_s(x01, w1, f);
    g = i32x4.relaxed_dot_i8x16_i7x16_add_s(x01, w2, g);
    h = i32x4.relaxed_dot_i8x16_i7x16_add_s(x01, w3, h);
  }
  return i32x4.extract_lane(i32x4.add(i32x4.add(i32x4.add(i32x4.add(i32x4.add(i32x4.add(i32x4.add(a, b), c), d), e), f), g), h), 0);
}
