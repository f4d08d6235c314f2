// What the engine can do at best: multiply-accumulates whose operands never leave the registers. Twelve chains, so that
// none waits for its own last result.

/** 4 multiply-adds a step and chain. */
export function f32_mul_add(steps: i32): f32 {
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
    a = f32x4.add(f32x4.mul(a, x), y);
    b = f32x4.add(f32x4.mul(b, x), y);
    c = f32x4.add(f32x4.mul(c, x), y);
    d = f32x4.add(f32x4.mul(d, x), y);
    e = f32x4.add(f32x4.mul(e, x), y);
    f = f32x4.add(f32x4.mul(f, x), y);
    g = f32x4.add(f32x4.mul(g, x), y);
    h = f32x4.add(f32x4.mul(h, x), y);
    i = f32x4.add(f32x4.mul(i, x), y);
    j = f32x4.add(f32x4.mul(j, x), y);
    k = f32x4.add(f32x4.mul(k, x), y);
    l = f32x4.add(f32x4.mul(l, x), y);
  }
  const s = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  return f32x4.extract_lane(f32x4.add(s, f32x4.add(f32x4.add(i, j), f32x4.add(k, l))), 0);
}

/** 8 multiply-adds a step and chain. */
export function i16_dot_add(steps: i32): i32 {
  const x = i16x8.splat(3);
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
    a = i32x4.add(i32x4.dot_i16x8_s(a, x), y);
    b = i32x4.add(i32x4.dot_i16x8_s(b, x), y);
    c = i32x4.add(i32x4.dot_i16x8_s(c, x), y);
    d = i32x4.add(i32x4.dot_i16x8_s(d, x), y);
    e = i32x4.add(i32x4.dot_i16x8_s(e, x), y);
    f = i32x4.add(i32x4.dot_i16x8_s(f, x), y);
    g = i32x4.add(i32x4.dot_i16x8_s(g, x), y);
    h = i32x4.add(i32x4.dot_i16x8_s(h, x), y);
    i = i32x4.add(i32x4.dot_i16x8_s(i, x), y);
    j = i32x4.add(i32x4.dot_i16x8_s(j, x), y);
    k = i32x4.add(i32x4.dot_i16x8_s(k, x), y);
    l = i32x4.add(i32x4.dot_i16x8_s(l, x), y);
  }
  const s = i32x4.add(i32x4.add(i32x4.add(a, b), i32x4.add(c, d)), i32x4.add(i32x4.add(e, f), i32x4.add(g, h)));
  return i32x4.extract_lane(i32x4.add(s, i32x4.add(i32x4.add(i, j), i32x4.add(k, l))), 0);
}
