import { Kernel } from '../src/engine/kernel';
import { Arguments } from './arguments';
import { f32_convolution, pairs_convolution, products_convolution } from './convolution';
import {
  f32_depthwise_3x3s1,
  f32_depthwise_3x3s2,
  f32_depthwise_5x5s1,
  f32_depthwise_5x5s2,
  f32_depthwise,
} from './f32/depthwise';
import {
  f32_affine,
  f32_hard_swish,
  f32_sigmoid,
  f32_swish,
  f32_add,
  f32_add_channels,
  f32_multiply,
  f32_gate,
  f32_softmax,
} from './f32/elementwise';
import { f32_vector } from './f32/pointwise';
import { f32_global_average_pool } from './f32/pool';
import { clear_halo } from './halo';
import {
  lanes_affine,
  lanes_hard_swish,
  lanes_sigmoid,
  lanes_swish,
  lanes_add,
  lanes_multiply,
  lanes_multiply_channels,
  lanes_gate,
  lanes_quantize,
  lanes_dequantize,
} from './lanes/elementwise';
import { lanes_global_average_pool } from './lanes/pool';
import { pairs_depthwise } from './pairs/depthwise';
import { pairs_depthwise_3x3s1, pairs_depthwise_3x3s2 } from './pairs/depthwise3';
import { pairs_depthwise_5x5s1, pairs_depthwise_5x5s2 } from './pairs/depthwise5';
import { pairs_vector } from './pairs/pointwise';
import { plane_convolution, planes_convolution } from './planes/convolution';
import {
  f32_pointwise,
  f32_wide_pointwise,
  pairs_pointwise,
  products_pointwise,
  planes_pointwise,
  planes_vector,
  plane_pointwise,
  plane_vector,
} from './pointwise';
import {
  products_depthwise_3x3s1,
  products_depthwise_3x3s2,
  products_depthwise_5x5s1,
  products_depthwise_5x5s2,
  products_depthwise,
} from './products/depthwise';
import { products_vector } from './products/pointwise';

export { dot_bytes, zero_over_zero } from './machine';
export { pack_dense_i8, pack_depthwise_i8, pack_scales } from './pairs/pack';
export { f32_resize, resize_horizontal, resize_vertical_normalize } from './resize';

function run(p: Arguments, from: usize, to: usize, thread: usize): void {
  switch (p.kernel) {
    case Kernel.f32_pointwise:
      f32_pointwise(p, from, to, thread);
      break;
    case Kernel.f32_wide_pointwise:
      f32_wide_pointwise(p, from, to, thread);
      break;
    case Kernel.f32_vector:
      f32_vector(p, from, to);
      break;
    case Kernel.f32_convolution:
      f32_convolution(p, from, to, thread);
      break;
    case Kernel.f32_depthwise_3x3s1:
      f32_depthwise_3x3s1(p, from, to);
      break;
    case Kernel.f32_depthwise_3x3s2:
      f32_depthwise_3x3s2(p, from, to);
      break;
    case Kernel.f32_depthwise_5x5s1:
      f32_depthwise_5x5s1(p, from, to);
      break;
    case Kernel.f32_depthwise_5x5s2:
      f32_depthwise_5x5s2(p, from, to);
      break;
    case Kernel.f32_depthwise:
      f32_depthwise(p, from, to);
      break;
    case Kernel.f32_affine:
      f32_affine(p, from, to);
      break;
    case Kernel.f32_hard_swish:
      f32_hard_swish(p, from, to);
      break;
    case Kernel.f32_sigmoid:
      f32_sigmoid(p, from, to);
      break;
    case Kernel.f32_swish:
      f32_swish(p, from, to);
      break;
    case Kernel.f32_add:
      f32_add(p, from, to);
      break;
    case Kernel.f32_add_channels:
      f32_add_channels(p, from, to);
      break;
    case Kernel.f32_multiply:
      f32_multiply(p, from, to);
      break;
    case Kernel.f32_gate:
      f32_gate(p, from, to);
      break;
    case Kernel.f32_global_average_pool:
      f32_global_average_pool(p, from, to);
      break;
    case Kernel.f32_softmax:
      f32_softmax(p, from, to);
      break;
    case Kernel.pairs_pointwise:
      pairs_pointwise(p, from, to, thread);
      break;
    case Kernel.pairs_vector:
      pairs_vector(p, from, to);
      break;
    case Kernel.pairs_convolution:
      pairs_convolution(p, from, to, thread);
      break;
    case Kernel.pairs_depthwise_3x3s1:
      pairs_depthwise_3x3s1(p, from, to);
      break;
    case Kernel.pairs_depthwise_3x3s2:
      pairs_depthwise_3x3s2(p, from, to);
      break;
    case Kernel.pairs_depthwise_5x5s1:
      pairs_depthwise_5x5s1(p, from, to);
      break;
    case Kernel.pairs_depthwise_5x5s2:
      pairs_depthwise_5x5s2(p, from, to);
      break;
    case Kernel.pairs_depthwise:
      pairs_depthwise(p, from, to);
      break;
    case Kernel.products_pointwise:
      products_pointwise(p, from, to, thread);
      break;
    case Kernel.products_vector:
      products_vector(p, from, to);
      break;
    case Kernel.products_convolution:
      products_convolution(p, from, to, thread);
      break;
    case Kernel.products_depthwise_3x3s1:
      products_depthwise_3x3s1(p, from, to);
      break;
    case Kernel.products_depthwise_3x3s2:
      products_depthwise_3x3s2(p, from, to);
      break;
    case Kernel.products_depthwise_5x5s1:
      products_depthwise_5x5s1(p, from, to);
      break;
    case Kernel.products_depthwise_5x5s2:
      products_depthwise_5x5s2(p, from, to);
      break;
    case Kernel.products_depthwise:
      products_depthwise(p, from, to);
      break;
    case Kernel.planes_pointwise:
      if (ASC_FEATURE_RELAXED_SIMD) planes_pointwise(p, from, to, thread);
      break;
    case Kernel.planes_vector:
      if (ASC_FEATURE_RELAXED_SIMD) planes_vector(p, from, to, thread);
      break;
    case Kernel.planes_convolution:
      if (ASC_FEATURE_RELAXED_SIMD) planes_convolution(p, from, to, thread);
      break;
    case Kernel.plane_pointwise:
      if (ASC_FEATURE_RELAXED_SIMD) plane_pointwise(p, from, to, thread);
      break;
    case Kernel.plane_vector:
      if (ASC_FEATURE_RELAXED_SIMD) plane_vector(p, from, to, thread);
      break;
    case Kernel.plane_convolution:
      if (ASC_FEATURE_RELAXED_SIMD) plane_convolution(p, from, to, thread);
      break;
    case Kernel.lanes_affine:
      lanes_affine(p, from, to);
      break;
    case Kernel.lanes_hard_swish:
      lanes_hard_swish(p, from, to);
      break;
    case Kernel.lanes_sigmoid:
      lanes_sigmoid(p, from, to);
      break;
    case Kernel.lanes_swish:
      lanes_swish(p, from, to);
      break;
    case Kernel.lanes_add:
      lanes_add(p, from, to);
      break;
    case Kernel.lanes_multiply:
      lanes_multiply(p, from, to);
      break;
    case Kernel.lanes_multiply_channels:
      lanes_multiply_channels(p, from, to);
      break;
    case Kernel.lanes_gate:
      lanes_gate(p, from, to);
      break;
    case Kernel.lanes_global_average_pool:
      lanes_global_average_pool(p, from, to);
      break;
    case Kernel.lanes_quantize:
      lanes_quantize(p, from, to);
      break;
    case Kernel.lanes_dequantize:
      lanes_dequantize(p, from, to);
      break;
    case Kernel.clear_halo:
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
