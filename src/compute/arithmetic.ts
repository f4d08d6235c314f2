import type { Engine } from '../engine/engine.js';
import type { Instruction } from '../engine/instruction.js';
import type { ConvNode, Node, Shape } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { Weights } from '../graph/network.js';

// How numbers are computed. A plan settles shapes, order and memory; what a number is, only an arithmetic knows.

/** A tensor as kernels see it. Its address is settled when instructions are written. */
export interface Operand {
  readonly name: string;
  readonly shape: Shape;
  /** Of integers. */
  readonly lanes?: Lanes | undefined;
  /** Channels of a pixel in memory: padded to a block, but for an image and what is computed from it element by element. */
  readonly stored: number;
  readonly elementBytes: number;
  /** Whether zeros may lie around its pixels. */
  readonly roomy: boolean;
  readonly pointer: number;
  readonly rowStride: number;
}

/** Zeros around a tensor's pixels, in pixels. */
export interface Margin {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** A kernel with all that is known before memory is placed. */
export interface Call {
  /** What profile() calls it. */
  readonly kind: string;
  /** Zeros that it reads around its first input. */
  readonly margin?: Margin;
  /** Scratch memory that each thread needs. */
  readonly scratchBytes?: number;
  readonly instruction: (scratch: number) => Instruction;
}

/** A convolution's weights as they lie in an engine's memory; they serve every input size. */
export interface PackedConv {
  call(input: Operand, output: Operand, residual: Operand | undefined): Call;
}

/** What a convolution reads, as far as packing cares. */
export interface Source {
  /** Channels of a pixel in memory. */
  readonly channels: number;
  readonly onePixel: boolean;
}

export type OtherNode = Exclude<Node, ConvNode>;

/** One kind of numbers, and one way to compute with them. */
export interface Arithmetic {
  readonly name: string;
  readonly elementBytes: number;
  packConv(engine: Engine, node: ConvNode, weights: Weights, source: Source, lanesOf: (tensor: string) => Lanes): PackedConv;
  /** The kernel for any other node. May allocate: scales are packed for it. */
  call(engine: Engine, node: OtherNode, inputs: readonly Operand[], output: Operand): Call;
}
