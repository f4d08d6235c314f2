// The same of relaxed SIMD: a module of its own, for engines that have it.

/** 4 multiply-adds a step and chain. */
export function f32_relaxed_madd(steps: i32): f32 {
  const x = f32x4.splat(0.999);
  const y = f32x4.splat(0.001);
  let a = y,
    b = y,
    c = y,
    d = y,
    e = y,
    f = y,
    g = y,
    h = y,
    i = y,
    j = y,
    k = y,
    l = y;
  for (let n = 0; n < steps; n++) {
    a = f32x4.relaxed_madd(a, x, y);
    b = f32x4.relaxed_madd(b, x, y);
    c = f32x4.relaxed_madd(c, x, y);
    d = f32x4.relaxed_madd(d, x, y);
    e = f32x4.relaxed_madd(e, x, y);
    f = f32x4.relaxed_madd(f, x, y);
    g = f32x4.relaxed_madd(g, x, y);
    h = f32x4.relaxed_madd(h, x, y);
    i = f32x4.relaxed_madd(i, x, y);
    j = f32x4.relaxed_madd(j, x, y);
    k = f32x4.relaxed_madd(k, x, y);
    l = f32x4.relaxed_madd(l, x, y);
  }
  const s = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  return f32x4.extract_lane(f32x4.add(s, f32x4.add(f32x4.add(i, j), f32x4.add(k, l))), 0);
}

/** 16 multiply-adds a step and chain. */
export function i8_relaxed_dot_add(steps: i32): i32 {
  const x = i8x16.splat(3);
  const y = i32x4.splat(5);
  let a = y,
    b = y,
    c = y,
    d = y,
    e = y,
    f = y,
    g = y,
    h = y,
    i = y,
    j = y,
    k = y,
    l = y;
  for (let n = 0; n < steps; n++) {
    a = i32x4.relaxed_dot_i8x16_i7x16_add_s(a, x, y);
    b = i32x4.relaxed_dot_i8x16_i7x16_add_s(b, x, y);
    c = i32x4.relaxed_dot_i8x16_i7x16_add_s(c, x, y);
    d = i32x4.relaxed_dot_i8x16_i7x16_add_s(d, x, y);
    e = i32x4.relaxed_dot_i8x16_i7x16_add_s(e, x, y);
    f = i32x4.relaxed_dot_i8x16_i7x16_add_s(f, x, y);
    g = i32x4.relaxed_dot_i8x16_i7x16_add_s(g, x, y);
    h = i32x4.relaxed_dot_i8x16_i7x16_add_s(h, x, y);
    i = i32x4.relaxed_dot_i8x16_i7x16_add_s(i, x, y);
    j = i32x4.relaxed_dot_i8x16_i7x16_add_s(j, x, y);
    k = i32x4.relaxed_dot_i8x16_i7x16_add_s(k, x, y);
    l = i32x4.relaxed_dot_i8x16_i7x16_add_s(l, x, y);
  }
  const s = i32x4.add(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), i32x4.add(i32x4.add(e, f), i32x4.add(g, h)));
  return i32x4.extract_lane(i32x4.add(s, i32x4.add(i32x4.add(i, j), i32x4.add(k, l))), 0);
}
