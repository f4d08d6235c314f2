// What the engine can do at best: multiply-accumulates on registers. One operand in three comes from the L1 cache, or the
// compiler would see that products repeat. Six chains of sums, so that none waits for its own last result.

/** 4 multiply-adds a chain and step. Products are added in pairs first: the best order that was found for V8. */
export function f32_mul_add(buffer: usize, steps: i32): f32 {
  const w0 = v128.load(buffer, 0);
  const w1 = v128.load(buffer, 16);
  const w2 = v128.load(buffer, 32);
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let e = f32x4.splat(0);
  let f = f32x4.splat(0);
  for (let n = 0; n < steps; n++) {
    const at = buffer + <usize>(n & 15) * 64;
    const x00 = v128.load(at, 0);
    const x01 = v128.load(at, 16);
    const x10 = v128.load(at, 32);
    const x11 = v128.load(at, 48);
    a = f32x4.add(a, f32x4.add(f32x4.mul(x00, w0), f32x4.mul(x10, w0)));
    b = f32x4.add(b, f32x4.add(f32x4.mul(x00, w1), f32x4.mul(x10, w1)));
    c = f32x4.add(c, f32x4.add(f32x4.mul(x00, w2), f32x4.mul(x10, w2)));
    d = f32x4.add(d, f32x4.add(f32x4.mul(x01, w0), f32x4.mul(x11, w0)));
    e = f32x4.add(e, f32x4.add(f32x4.mul(x01, w1), f32x4.mul(x11, w1)));
    f = f32x4.add(f, f32x4.add(f32x4.mul(x01, w2), f32x4.mul(x11, w2)));
  }
  return f32x4.extract_lane(f32x4.add(f32x4.add(f32x4.add(f32x4.add(f32x4.add(a, b), c), d), e), f), 0);
}

/** 8 multiply-adds a chain and step. */
export function i16_dot_add(buffer: usize, steps: i32): i32 {
  const w0 = v128.load(buffer, 0);
  const w1 = v128.load(buffer, 16);
  const w2 = v128.load(buffer, 32);
  let a = i32x4.splat(0);
  let b = i32x4.splat(0);
  let c = i32x4.splat(0);
  let d = i32x4.splat(0);
  let e = i32x4.splat(0);
  let f = i32x4.splat(0);
  for (let n = 0; n < steps; n++) {
    const at = buffer + <usize>(n & 15) * 64;
    const x00 = v128.load(at, 0);
    const x01 = v128.load(at, 16);
    a = i32x4.add(a, i32x4.dot_i16x8_s(x00, w0));
    b = i32x4.add(b, i32x4.dot_i16x8_s(x00, w1));
    c = i32x4.add(c, i32x4.dot_i16x8_s(x00, w2));
    d = i32x4.add(d, i32x4.dot_i16x8_s(x01, w0));
    e = i32x4.add(e, i32x4.dot_i16x8_s(x01, w1));
    f = i32x4.add(f, i32x4.dot_i16x8_s(x01, w2));
    const x10 = v128.load(at, 32);
    const x11 = v128.load(at, 48);
    a = i32x4.add(a, i32x4.dot_i16x8_s(x10, w0));
    b = i32x4.add(b, i32x4.dot_i16x8_s(x10, w1));
    c = i32x4.add(c, i32x4.dot_i16x8_s(x10, w2));
    d = i32x4.add(d, i32x4.dot_i16x8_s(x11, w0));
    e = i32x4.add(e, i32x4.dot_i16x8_s(x11, w1));
    f = i32x4.add(f, i32x4.dot_i16x8_s(x11, w2));
  }
  return i32x4.extract_lane(i32x4.add(i32x4.add(i32x4.add(i32x4.add(i32x4.add(a, b), c), d), e), f), 0);
}
