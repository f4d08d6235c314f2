import { Arguments } from '../arguments';
import { CLAMP, HARD_SWISH, loadF32FromI16, roundFrom, sigmoid } from '../arithmetic';
import { highest, lowest, narrow, scaledHardSwish } from './requantize';

// The twins of f32.ts: i16 in, float32 in between, i16 out, one IEEE operation at a time (see requantize.ts). Scales
// are one a channel. A unit is one row of the output.

// @ts-ignore: decorator
@inline
function store8(output: usize, y0: v128, y1: v128, low: v128, high: v128): void {
  v128.store(output, narrow(roundFrom(y0, low), roundFrom(y1, low), high));
}

// @ts-ignore: decorator
@inline
function unary(kind: usize, p: Arguments, from: usize, to: usize): void {
  const low = lowest(p);
  const high = highest(p);
  const offset = f32x4.splat(p.offset);
  for (let row = from; row < to; row++) {
    let input = p.input + row * p.inputRowStride;
    let output = p.output + row * p.outputRowStride;
    for (let x: usize = 0; x < p.width; x++) {
      let scale = p.scale;
      let gateScale = p.gateScale;
      for (let c: usize = 0; c < p.channels; c += 8, input += 16, output += 16, scale += 32, gateScale += 32) {
        const a = loadF32FromI16(input);
        const b = loadF32FromI16(input + 8);
        if (kind == HARD_SWISH) {
          const y0 = scaledHardSwish(a, v128.load(scale), v128.load(gateScale));
          const y1 = scaledHardSwish(b, v128.load(scale, 16), v128.load(gateScale, 16));
          store8(output, y0, y1, low, high);
        } else {
          const y0 = f32x4.add(f32x4.mul(a, v128.load(scale)), offset);
          const y1 = f32x4.add(f32x4.mul(b, v128.load(scale, 16)), offset);
          store8(output, y0, y1, low, high);
        }
      }
    }
  }
}

/** clamp(x * scale + offset): requantization, ReLU, ReLU6, h-sigmoid. */
export function lanes_affine(p: Arguments, from: usize, to: usize): void {
  unary(CLAMP, p, from, to);
}

export function lanes_hard_swish(p: Arguments, from: usize, to: usize): void {
  unary(HARD_SWISH, p, from, to);
}

/** sigmoid(x * scale), times gateScale, or for swish times x * gateScale. */
// @ts-ignore: decorator
@inline
function four(swish: bool, x: v128, scale: v128, gateScale: v128): v128 {
  return f32x4.mul(sigmoid(f32x4.mul(x, scale)), swish ? f32x4.mul(x, gateScale) : gateScale);
}

// @ts-ignore: decorator
@inline
function curve(swish: bool, p: Arguments, from: usize, to: usize): void {
  const low = lowest(p);
  const high = highest(p);
  for (let row = from; row < to; row++) {
    let input = p.input + row * p.inputRowStride;
    let output = p.output + row * p.outputRowStride;
    for (let x: usize = 0; x < p.width; x++) {
      let scale = p.scale;
      let gateScale = p.gateScale;
      for (let c: usize = 0; c < p.channels; c += 8, input += 16, output += 16, scale += 32, gateScale += 32) {
        const y0 = four(swish, loadF32FromI16(input), v128.load(scale), v128.load(gateScale));
        const y1 = four(swish, loadF32FromI16(input + 8), v128.load(scale, 16), v128.load(gateScale, 16));
        store8(output, y0, y1, low, high);
      }
    }
  }
}

export function lanes_sigmoid(p: Arguments, from: usize, to: usize): void {
  curve(false, p, from, to);
}

export function lanes_swish(p: Arguments, from: usize, to: usize): void {
  curve(true, p, from, to);
}

export function lanes_add(p: Arguments, from: usize, to: usize): void {
  const low = lowest(p);
  const high = highest(p);
  for (let row = from; row < to; row++) {
    let input = p.input + row * p.inputRowStride;
    let other = p.other + row * p.otherRowStride;
    let output = p.output + row * p.outputRowStride;
    for (let x: usize = 0; x < p.width; x++) {
      let scale = p.scale;
      let otherScale = p.otherScale;
      for (let c: usize = 0; c < p.channels; c += 8, input += 16, other += 16, output += 16, scale += 32, otherScale += 32) {
        const a0 = f32x4.mul(loadF32FromI16(input), v128.load(scale));
        const a1 = f32x4.mul(loadF32FromI16(input + 8), v128.load(scale, 16));
        const b0 = f32x4.mul(loadF32FromI16(other), v128.load(otherScale));
        const b1 = f32x4.mul(loadF32FromI16(other + 8), v128.load(otherScale, 16));
        store8(output, f32x4.add(a0, b0), f32x4.add(a1, b1), low, high);
      }
    }
  }
}

/** (x * other) * scale; the other has the same shape, or, with otherRowStride 0 and one pixel, is a value a channel. */
// @ts-ignore: decorator
@inline
function multiply(broadcast: bool, p: Arguments, from: usize, to: usize): void {
  const low = lowest(p);
  const high = highest(p);
  for (let row = from; row < to; row++) {
    let input = p.input + row * p.inputRowStride;
    let other = broadcast ? p.other : p.other + row * p.otherRowStride;
    let output = p.output + row * p.outputRowStride;
    for (let x: usize = 0; x < p.width; x++) {
      if (broadcast) other = p.other;
      let scale = p.scale;
      for (let c: usize = 0; c < p.channels; c += 8, input += 16, other += 16, output += 16, scale += 32) {
        const y0 = f32x4.mul(f32x4.mul(loadF32FromI16(input), loadF32FromI16(other)), v128.load(scale));
        const y1 = f32x4.mul(f32x4.mul(loadF32FromI16(input + 8), loadF32FromI16(other + 8)), v128.load(scale, 16));
        store8(output, y0, y1, low, high);
      }
    }
  }
}

export function lanes_multiply(p: Arguments, from: usize, to: usize): void {
  multiply(false, p, from, to);
}

export function lanes_multiply_channels(p: Arguments, from: usize, to: usize): void {
  multiply(true, p, from, to);
}

/** x * gate / 2^15, rounded half up, in one instruction: the scale of squeeze-excite, with the gate in Q15. */
export function lanes_gate(p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 2;
  for (let row = from; row < to; row++) {
    let input = p.input + row * p.inputRowStride;
    let output = p.output + row * p.outputRowStride;
    for (let x: usize = 0; x < p.width; x++, input += pixel, output += pixel) {
      for (let c: usize = 0; c < pixel; c += 16) {
        v128.store(output + c, i16x8.q15mulr_sat_s(v128.load(input + c), v128.load(p.other + c)));
      }
    }
  }
}

/** f32 to i16: round(clamp(x * scale)), scales being inverses that repeat after `period`, a multiple of 8; NaN becomes 0. */
export function lanes_quantize(p: Arguments, from: usize, to: usize): void {
  const low = lowest(p);
  const high = highest(p);
  const period = <usize>p.period * 4;
  const count = <usize>p.width * p.channels;
  const whole = count & ~7;
  for (let row = from; row < to; row++) {
    const input = p.input + row * p.inputRowStride;
    const output = p.output + row * p.outputRowStride;
    let c: usize = 0;
    for (let i: usize = 0; i < whole; i += 8) {
      const x = f32x4.mul(v128.load(input + i * 4), v128.load(p.scale + c));
      const y = f32x4.mul(v128.load(input + i * 4, 16), v128.load(p.scale + c, 16));
      const q0 = roundFrom(v128.and(x, f32x4.eq(x, x)), low);
      const q1 = roundFrom(v128.and(y, f32x4.eq(y, y)), low);
      v128.store(output + i * 2, narrow(q0, q1, high));
      c += 32;
      if (c == period) c = 0;
    }
    for (let i = whole; i < count; i++, c += 4) {
      const x = load<f32>(input + i * 4) * load<f32>(p.scale + c);
      store<i16>(output + i * 2, x == x ? <i16>nearest(min(max(x, p.low), p.high)) : 0);
    }
  }
}

/** i16 to f32: x * scale. */
export function lanes_dequantize(p: Arguments, from: usize, to: usize): void {
  for (let row = from; row < to; row++) {
    let input = p.input + row * p.inputRowStride;
    let output = p.output + row * p.outputRowStride;
    for (let x: usize = 0; x < p.width; x++) {
      for (let c: usize = 0; c < p.channels; c += 4, input += 8, output += 16) {
        v128.store(output, f32x4.mul(loadF32FromI16(input), v128.load(p.scale + c * 4)));
      }
    }
  }
}
