/**
 * One instruction of a program: what a kernel reads. All kernels share this one format, 33 words of 4 bytes, written
 * by src/engine/instruction.ts (a test holds the two together).
 *
 * A tensor is a pointer to its first pixel and the bytes from one image row to the next; the pixels of a row follow
 * each other. Channels are padded to a multiple of 8, so that no kernel has a channel tail. A row stride larger than
 * the row leaves room for the zeros around a depthwise convolution's input (its halo).
 */
@unmanaged
export class Arguments {
  op: usize;
  /** How many pieces the work falls into; threads share them out. */
  units: usize;
  input: usize;
  inputRowStride: usize;
  output: usize;
  outputRowStride: usize;
  /** The second operand: residual, gate, or addend. */
  other: usize;
  otherRowStride: usize;
  filter: usize;
  bias: usize;
  /** f32 a channel: what turns an accumulator (or an input) into the output's units. */
  scale: usize;
  /** f32 a channel: the second operand's scale, or h-swish's gate scale. */
  otherScale: usize;
  /** Of the output. */
  height: usize;
  width: usize;
  inputChannels: usize;
  /** Of the output. */
  channels: usize;
  kernelHeight: usize;
  kernelWidth: usize;
  strideHeight: usize;
  strideWidth: usize;
  inputHeight: usize;
  inputWidth: usize;
  padTop: usize;
  padLeft: usize;
  low: f32;
  high: f32;
  /** The factor and the offset of an affine function. */
  alpha: f32;
  beta: f32;
  scratch: usize;
  /** Bytes of scratch a thread. */
  scratchBytes: usize;
  /** Channels of the input image of a general convolution, whose inputChannels is its window, padded. */
  sourceChannels: usize;
  /** high as an integer, for the end of a quantized convolution. */
  highLane: usize;
  /** What a convolution does with its sums: CLAMP, HARD_SWISH or RESIDUAL of arithmetic.ts. */
  epilogue: usize;
}
