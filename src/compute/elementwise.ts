import type { Instruction } from '../engine/instruction.js';
import type { Kernel } from '../engine/kernel.js';
import { UnsupportedModelError } from '../errors.js';
import type { Activation, Curve } from '../graph/graph.js';
import type { Operand, OtherNode } from './arithmetic.js';

/** What every instruction has; the output's rows are its units. */
export const rows = (kernel: Kernel, input: Operand, output: Operand): Instruction => ({
  kernel,
  units: output.shape[0],
  input: input.pointer,
  inputRowStride: input.rowStride,
  output: output.pointer,
  outputRowStride: output.rowStride,
  height: output.shape[0],
  width: output.shape[1],
  channels: output.stored,
});

/** An image's three channels are no block of 8: element by element, it is one long row of blocks. */
export function elements(kernel: Kernel, input: Operand, output: Operand): Instruction {
  const all = rows(kernel, input, output);
  if (output.stored % 8 === 0 || input.stored !== output.stored) return all;
  return { ...all, units: 1, height: 1, width: Math.ceil((output.shape[0] * output.shape[1] * output.stored) / 8), channels: 8 };
}

export const second = (other: Operand) => ({ other: other.pointer, otherRowStride: other.rowStride });

/** One pixel that goes with every pixel of the other operand. */
export const isOnePixel = ({ shape }: Operand): boolean => shape[0] * shape[1] === 1;

/** The clamp that an activation is, in real units. */
export function activationRange(activation: Activation | Curve): readonly [low: number, high: number] {
  if (activation === 'relu') return [0, Number.POSITIVE_INFINITY];
  if (activation === 'relu6') return [0, 6];
  if (activation === 'hardSigmoid') return [0, 1];
  return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
}

/** The clamp of a sum. */
export function clampOf(name: string, activation: Activation): readonly [low: number, high: number] {
  if (activation === 'hardSwish' || activation === 'hardSigmoid') {
    throw new UnsupportedModelError(`${name}: ${activation} fused into a sum is not supported; make it a node of its own.`);
  }
  return activationRange(activation);
}

/** clamp(factor * x + offset, low, high) */
export interface Affine {
  readonly factor: number;
  readonly offset: number;
  readonly low: number;
  readonly high: number;
}

/** An affine node, and every activation but h-swish and curves. */
export function affineOf(node: Extract<OtherNode, { kind: 'affine' | 'activation' }>): Affine {
  if (node.kind === 'affine') {
    const { alpha, beta, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = node;
    return { factor: alpha, offset: beta, low, high };
  }
  const [low, high] = activationRange(node.activation);
  return node.activation === 'hardSigmoid' ? { factor: 1 / 6, offset: 0.5, low, high } : { factor: 1, offset: 0, low, high };
}
