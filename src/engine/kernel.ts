/**
 * Every kernel that a program can call; the number is an instruction's `kernel`. Read by the AssemblyScript interpreter
 * (assembly/index.ts) too, so that the two cannot differ.
 */
export enum Kernel {
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
  pairs_pointwise,
  pairs_vector,
  pairs_convolution,
  pairs_depthwise_3x3s1,
  pairs_depthwise_3x3s2,
  pairs_depthwise_5x5s1,
  pairs_depthwise_5x5s2,
  pairs_depthwise,
  lanes_affine,
  lanes_hard_swish,
  lanes_add,
  lanes_multiply,
  lanes_multiply_channels,
  lanes_gate,
  lanes_global_average_pool,
  lanes_quantize,
  lanes_dequantize,
  clear_halo,
}

/** What a convolution does with its sums; the numbers are those of assembly/arithmetic.ts. */
export enum Epilogue {
  clamp,
  hardSwish,
  residual,
}
