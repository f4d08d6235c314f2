import { Operation } from '../src/engine/operation';
import { Arguments } from './arguments';
import {
  f32_convolution,
  q16_convolution,
} from './convolution/convolution';
import {
  f32_depthwise_3x3s1,
  f32_depthwise_3x3s2,
  f32_depthwise_5x5s1,
  f32_depthwise_5x5s2,
  f32_depthwise,
} from './depthwise/f32';
import {
  q16_depthwise_3x3s1,
  q16_depthwise_3x3s2,
  q16_depthwise_5x5s1,
  q16_depthwise_5x5s2,
  q16_depthwise,
} from './depthwise/q16';
import {
  f32_affine,
  f32_hard_swish,
  f32_add,
  f32_add_channels,
  f32_multiply,
  f32_gate,
  f32_softmax,
} from './elementwise/f32';
import {
  q16_affine,
  q16_hard_swish,
  q16_add,
  q16_multiply,
  q16_gate,
  q16_multiply_channels,
  q16_quantize,
  q16_dequantize,
} from './elementwise/q16';
import {
  clear_halo,
} from './halo';
import {
  f32_pointwise,
  f32_vector,
} from './pointwise/f32';
import {
  q16_pointwise,
  q16_vector,
} from './pointwise/q16';
import {
  f32_global_average_pool,
} from './pool/f32';
import {
  q16_global_average_pool,
} from './pool/q16';

export { f32_resize, resize_horizontal, resize_vertical_normalize } from './image/resize';
export { pack_dense_i8, pack_depthwise_i8, pack_scales } from './pack';

function run(p: Arguments, from: usize, to: usize, thread: usize): void {
  switch (p.op) {
    case Operation.f32_pointwise:
      f32_pointwise(p, from, to);
      break;
    case Operation.f32_vector:
      f32_vector(p, from, to);
      break;
    case Operation.f32_convolution:
      f32_convolution(p, from, to, thread);
      break;
    case Operation.f32_depthwise_3x3s1:
      f32_depthwise_3x3s1(p, from, to);
      break;
    case Operation.f32_depthwise_3x3s2:
      f32_depthwise_3x3s2(p, from, to);
      break;
    case Operation.f32_depthwise_5x5s1:
      f32_depthwise_5x5s1(p, from, to);
      break;
    case Operation.f32_depthwise_5x5s2:
      f32_depthwise_5x5s2(p, from, to);
      break;
    case Operation.f32_depthwise:
      f32_depthwise(p, from, to);
      break;
    case Operation.f32_affine:
      f32_affine(p, from, to);
      break;
    case Operation.f32_hard_swish:
      f32_hard_swish(p, from, to);
      break;
    case Operation.f32_add:
      f32_add(p, from, to);
      break;
    case Operation.f32_add_channels:
      f32_add_channels(p, from, to);
      break;
    case Operation.f32_multiply:
      f32_multiply(p, from, to);
      break;
    case Operation.f32_gate:
      f32_gate(p, from, to);
      break;
    case Operation.f32_global_average_pool:
      f32_global_average_pool(p, from, to);
      break;
    case Operation.f32_softmax:
      f32_softmax(p, from, to);
      break;
    case Operation.q16_pointwise:
      q16_pointwise(p, from, to);
      break;
    case Operation.q16_vector:
      q16_vector(p, from, to);
      break;
    case Operation.q16_convolution:
      q16_convolution(p, from, to, thread);
      break;
    case Operation.q16_depthwise_3x3s1:
      q16_depthwise_3x3s1(p, from, to);
      break;
    case Operation.q16_depthwise_3x3s2:
      q16_depthwise_3x3s2(p, from, to);
      break;
    case Operation.q16_depthwise_5x5s1:
      q16_depthwise_5x5s1(p, from, to);
      break;
    case Operation.q16_depthwise_5x5s2:
      q16_depthwise_5x5s2(p, from, to);
      break;
    case Operation.q16_depthwise:
      q16_depthwise(p, from, to);
      break;
    case Operation.q16_affine:
      q16_affine(p, from, to);
      break;
    case Operation.q16_hard_swish:
      q16_hard_swish(p, from, to);
      break;
    case Operation.q16_add:
      q16_add(p, from, to);
      break;
    case Operation.q16_multiply:
      q16_multiply(p, from, to);
      break;
    case Operation.q16_gate:
      q16_gate(p, from, to);
      break;
    case Operation.q16_global_average_pool:
      q16_global_average_pool(p, from, to);
      break;
    case Operation.q16_multiply_channels:
      q16_multiply_channels(p, from, to);
      break;
    case Operation.q16_quantize:
      q16_quantize(p, from, to);
      break;
    case Operation.q16_dequantize:
      q16_dequantize(p, from, to);
      break;
    case Operation.clear_halo:
      clear_halo(p, from, to);
      break;
  }
}

/** Runs `count` instructions that follow each other in memory; thread t of T takes the t-th share of each. */
export function execute(program: usize, count: usize, thread: usize, threads: usize): void {
  for (let i: usize = 0; i < count; i++, program += offsetof<Arguments>()) {
    const p = changetype<Arguments>(program);
    const from = (p.units * thread) / threads;
    const to = (p.units * (thread + 1)) / threads;
    if (from < to) run(p, from, to, thread);
  }
}

/** The first byte that no static data lies in. */
export function heapBase(): usize {
  return __heap_base;
}
