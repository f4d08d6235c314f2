/**
 * Every kernel that a program can call; the number is an instruction's `op`. Read by the AssemblyScript interpreter
 * (assembly/index.ts) too, so that the two cannot differ.
 */
export enum Operation {
  f32_pointwise,
  f32_vector,
  f32_convolution,
  f32_depthwise_3x3s1,
  f32_depthwise_3x3s2,
  f32_depthwise_5x5s1,
  f32_depthwise_5x5s2,
  f32_depthwise,
  f32_affine,
  f32_hard_swish,
  f32_add,
  f32_add_channels,
  f32_multiply,
  f32_gate,
  f32_global_average_pool,
  f32_softmax,
  q16_pointwise,
  q16_vector,
  q16_convolution,
  q16_depthwise_3x3s1,
  q16_depthwise_3x3s2,
  q16_depthwise_5x5s1,
  q16_depthwise_5x5s2,
  q16_depthwise,
  q16_affine,
  q16_hard_swish,
  q16_add,
  q16_multiply,
  q16_gate,
  q16_global_average_pool,
  q16_multiply_channels,
  q16_quantize,
  q16_dequantize,
  clear_halo,
}

/** What a convolution does with its sums; the numbers are those of assembly/arithmetic.ts. */
export enum Epilogue {
  clamp,
  hardSwish,
  residual,
}
