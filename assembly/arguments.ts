/**
 * One instruction of a program: what a kernel reads. All kernels share this one format, 42 words of 4 bytes, written
 * by src/engine/instruction.ts (a test holds the two together). A word means one thing, whatever the kernel.
 *
 * A tensor is a pointer to its first pixel and the bytes from one image row to the next; the pixels of a row follow
 * each other. Channels are padded to a multiple of 8, so that no kernel has a channel tail. A row stride larger than
 * the row leaves room for the zeros around a depthwise convolution's input (its halo).
 */
@unmanaged
export class Arguments {
  kernel: usize;
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
  /** f32 a channel: the scale of h-swish's gate. */
  gateScale: usize;
  /** f32 a channel: the second operand's scale. */
  otherScale: usize;
  /** Of the output, in pixels. */
  height: usize;
  width: usize;
  /** Of the output, as they lie in memory. */
  channels: usize;
  inputHeight: usize;
  inputWidth: usize;
  /** Of a pixel of the input, as they lie in memory. */
  inputChannels: usize;
  /** Values of one row of a convolution's packed window: kernelWidth x inputChannels, padded. */
  run: usize;
  kernelHeight: usize;
  kernelWidth: usize;
  strideHeight: usize;
  strideWidth: usize;
  padTop: usize;
  padLeft: usize;
  /** Rows of zeros below an image. */
  rowsBelow: usize;
  pixelBytes: usize;
  /** Values after which scales repeat, a multiple of 8. */
  period: usize;
  scratch: usize;
  /** Of a thread. */
  scratchBytes: usize;
  /** The clamp of the output, in its own units. */
  low: f32;
  high: f32;
  /** high as an integer, for the end of a convolution on lanes. */
  highLane: usize;
  /** Of an affine function: factor * x + offset. A mean has its factor alone. */
  factor: f32;
  offset: f32;
  /** The scale of a residual that a convolution on lanes adds. */
  residualScale: f32;
  /** What a convolution does with its sums: CLAMP, HARD_SWISH or RESIDUAL of arithmetic.ts. */
  epilogue: usize;
  /** 1.5 x 2^23, which rounds a float32 that is added to it: in memory, where no compiler makes it anew at every use. */
  rounder: f32;
  /** low and high with the rounder added: their bits are the clamp of rounded bits. */
  lowest: f32;
  highest: f32;
  /** What splits lanes into bytes: bits to turn for two planes, a number to subtract for one. */
  splitter: usize;
}
