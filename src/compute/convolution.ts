import type { Instruction } from '../engine/instruction.js';
import { Epilogue, type Kernel } from '../engine/kernel.js';
import { UnsupportedModelError } from '../errors.js';
import { type ConvNode, isDepthwise, resolvePadding } from '../graph/graph.js';
import type { Call, Margin, Operand, Source } from './arithmetic.js';
import { rows } from './elementwise.js';

/** Channels lie in memory padded to a multiple of this. */
export const CHANNEL_BLOCK = 8;
export const padChannels = (channels: number): number => Math.ceil(channels / CHANNEL_BLOCK) * CHANNEL_BLOCK;

/** Bounds of an image that no window reaches over: there are zeros around it. */
const ANYWHERE = 0x7fffffff;

/** The kernels that read filters which are packed in one way. */
export interface ConvKernels {
  readonly pointwise: Kernel;
  /** Matrix by vector. */
  readonly vector: Kernel;
  /** Any window of any image. */
  readonly convolution: Kernel;
  /** Any window of channels that stay apart. */
  readonly depthwise: Kernel;
  /** The same for frequent windows, by size and stride; they need four pixels a row. */
  readonly depthwiseOf: Readonly<Record<string, Kernel>>;
  /** Lines of its window that a depthwise kernel reads at a time. */
  readonly linesAtOnce: number;
}

/** What packing settles of a convolution. */
export interface PackedWords {
  readonly kernels: ConvKernels;
  readonly words: Partial<Instruction> & { readonly filter: number; readonly bias: number; readonly run: number };
  /** It was packed for the kernel that multiplies a matrix by a vector. */
  readonly vector: boolean;
  /** Scratch memory that the kernels need, a thread. */
  readonly scratchBytes?: number;
}

/** Each output pixel is made of the input pixel in its place. */
export const isPointwise = ({ kernel, strides, padding, groups }: ConvNode): boolean =>
  groups === 1 && kernel[0] * kernel[1] * strides[0] * strides[1] === 1 && (typeof padding === 'string' || padding.every((p) => p === 0));

/** Whether a matrix by vector is all there is to do. */
export const isVector = (node: ConvNode, { channels, onePixel }: Source): boolean =>
  onePixel && isPointwise(node) && node.inputs.length === 1 && channels % CHANNEL_BLOCK === 0;

/** The kernel for a packed convolution at one input size. */
export function convCall(
  { kernels, words, vector, scratchBytes: ownScratch }: PackedWords,
  node: ConvNode,
  input: Operand,
  output: Operand,
  residual: Operand | undefined,
): Call {
  const { name, kernel, strides } = node;
  const [height, width] = output.shape;
  const padding = resolvePadding(node.padding, [input.shape[0], input.shape[1]], kernel, strides);
  const [top, , left] = padding;
  if (residual && (node.activation === 'hardSwish' || !isPointwise(node) || input.stored % CHANNEL_BLOCK !== 0 || vector)) {
    throw new UnsupportedModelError(
      `${name}: only a pointwise convolution without h-swish can add a residual; leave the sum a node of its own.`,
    );
  }
  const common = (code: Kernel, units: number): Instruction => ({
    ...rows(code, input, output),
    ...words,
    units,
    inputChannels: input.stored,
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: strides[0],
    strideWidth: strides[1],
    padTop: top,
    padLeft: left,
    epilogue: residual ? Epilogue.residual : node.activation === 'hardSwish' ? Epilogue.hardSwish : Epilogue.clamp,
  });
  /** Where the window of the first output pixel begins, among the zeros. */
  const corner = () => input.pointer - top * input.rowStride - left * input.stored * input.elementBytes;
  const margin = (lines: number): Margin => ({
    top,
    left,
    bottom: (height - 1) * strides[0] + lines - top - input.shape[0],
    right: (width - 1) * strides[1] + kernel[1] - left - input.shape[1],
  });

  if (isDepthwise(node)) {
    if (input.stored % CHANNEL_BLOCK !== 0)
      throw new UnsupportedModelError(`${name}: a depthwise convolution of the image itself is not supported.`);
    const square = kernel[0] === kernel[1] && strides[0] === strides[1] && width >= 4;
    const frequent = square ? kernels.depthwiseOf[`${kernel[0]}x${kernel[1]}s${strides[0]}`] : undefined;
    const lines = Math.ceil(kernel[0] / kernels.linesAtOnce) * kernels.linesAtOnce;
    const instruction = () => ({ ...common(frequent ?? kernels.depthwise, height), input: corner() });
    return { kind: 'depthwise', margin: margin(lines), instruction };
  }
  if (isPointwise(node) && input.stored % CHANNEL_BLOCK === 0) {
    const pixels = height * width;
    const other = () => (residual ? { other: residual.pointer, otherRowStride: residual.rowStride } : {});
    const [code, units] = vector ? [kernels.vector, output.stored / CHANNEL_BLOCK] : [kernels.pointwise, Math.ceil(pixels / 4)];
    const instruction = (scratch: number) => ({ ...common(code, units), ...other(), scratch, scratchBytes: ownScratch ?? 0 });
    return { kind: pixels === 1 ? 'fullyConnected' : 'pointwise', scratchBytes: ownScratch ?? 0, instruction };
  }
  // Four windows side by side, where they reach over the image's edge.
  const scratchBytes = ownScratch ?? 4 * kernel[0] * words.run * input.elementBytes;
  const gathering = (scratch: number) => ({
    ...common(kernels.convolution, height),
    inputHeight: input.shape[0],
    inputWidth: input.shape[1],
    scratch,
    scratchBytes,
  });
  if (!input.roomy) return { kind: 'convolution', scratchBytes, instruction: gathering };
  const inside = () => ({ input: corner(), padTop: 0, padLeft: 0, inputHeight: ANYWHERE, inputWidth: ANYWHERE });
  return {
    kind: 'convolution',
    scratchBytes,
    margin: margin(kernel[0]),
    instruction: (scratch) => ({ ...gathering(scratch), ...inside() }),
  };
}
