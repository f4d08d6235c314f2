import { Arguments } from '../arguments';
import { clamp, hardSwish, sigmoid } from '../arithmetic';

// A unit is one row of the output. ReLU, ReLU6 and h-sigmoid are one affine function with a clamp.

export function f32_affine(p: Arguments, from: usize, to: usize): void {
  const bytes = <usize>p.width * p.channels * 4;
  const factor = f32x4.splat(p.factor);
  const offset = f32x4.splat(p.offset);
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  for (let row = from; row < to; row++) {
    const input = p.input + row * p.inputRowStride;
    const output = p.output + row * p.outputRowStride;
    for (let i: usize = 0; i < bytes; i += 16) {
      const x = v128.load(input + i);
      v128.store(output + i, clamp(f32x4.add(f32x4.mul(x, factor), offset), low, high));
    }
  }
}

export function f32_hard_swish(p: Arguments, from: usize, to: usize): void {
  const bytes = <usize>p.width * p.channels * 4;
  for (let row = from; row < to; row++) {
    const input = p.input + row * p.inputRowStride;
    const output = p.output + row * p.outputRowStride;
    for (let i: usize = 0; i < bytes; i += 16) v128.store(output + i, hardSwish(v128.load(input + i)));
  }
}

// @ts-ignore: decorator
@inline
function curve(swish: bool, p: Arguments, from: usize, to: usize): void {
  const bytes = <usize>p.width * p.channels * 4;
  for (let row = from; row < to; row++) {
    const input = p.input + row * p.inputRowStride;
    const output = p.output + row * p.outputRowStride;
    for (let i: usize = 0; i < bytes; i += 16) {
      const x = v128.load(input + i);
      v128.store(output + i, swish ? f32x4.mul(x, sigmoid(x)) : sigmoid(x));
    }
  }
}

export function f32_sigmoid(p: Arguments, from: usize, to: usize): void {
  curve(false, p, from, to);
}

export function f32_swish(p: Arguments, from: usize, to: usize): void {
  curve(true, p, from, to);
}

/** The other operand has the same shape, or is one value a channel. */
// @ts-ignore: decorator
@inline
function binary(adds: bool, broadcast: bool, p: Arguments, from: usize, to: usize): void {
  const pixel = <usize>p.channels * 4;
  const low = f32x4.splat(p.low);
  const high = f32x4.splat(p.high);
  for (let row = from; row < to; row++) {
    let input = p.input + row * p.inputRowStride;
    let other = broadcast ? p.other : p.other + row * p.otherRowStride;
    let output = p.output + row * p.outputRowStride;
    for (let x: usize = 0; x < p.width; x++, input += pixel, output += pixel) {
      for (let c: usize = 0; c < pixel; c += 16) {
        const a = v128.load(input + c);
        const b = v128.load(other + c);
        v128.store(output + c, adds ? clamp(f32x4.add(a, b), low, high) : f32x4.mul(a, b));
      }
      if (!broadcast) other += pixel;
    }
  }
}

export function f32_add(p: Arguments, from: usize, to: usize): void {
  binary(true, false, p, from, to);
}

export function f32_add_channels(p: Arguments, from: usize, to: usize): void {
  binary(true, true, p, from, to);
}

export function f32_multiply(p: Arguments, from: usize, to: usize): void {
  binary(false, false, p, from, to);
}

/** Every pixel by one gate a channel: the scale of squeeze-excite. */
export function f32_gate(p: Arguments, from: usize, to: usize): void {
  binary(false, true, p, from, to);
}

/** One vector of values: exp(x - max) / sum, in f64 sums. A unit is the whole of it. */
export function f32_softmax(p: Arguments, from: usize, to: usize): void {
  let highest = -f32.MAX_VALUE;
  const count = <usize>p.channels;
  for (let i: usize = 0; i < count; i++) highest = max(highest, load<f32>(p.input + i * 4));
  let sum: f64 = 0;
  for (let i: usize = 0; i < count; i++) {
    const e = NativeMathf.exp(load<f32>(p.input + i * 4) - highest);
    store<f32>(p.output + i * 4, e);
    sum += e;
  }
  for (let i: usize = 0; i < count; i++) {
    store<f32>(p.output + i * 4, <f32>(load<f32>(p.output + i * 4) / sum));
  }
}
