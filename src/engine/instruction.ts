import type { Kernel } from './kernel.js';

/** The words of an instruction, in the order of assembly/arguments.ts (test/engine/instruction.test.ts compares them). */
export const FIELDS = [
  'kernel',
  'units',
  'input',
  'inputRowStride',
  'output',
  'outputRowStride',
  'other',
  'otherRowStride',
  'filter',
  'bias',
  'scale',
  'gateScale',
  'otherScale',
  'height',
  'width',
  'channels',
  'inputHeight',
  'inputWidth',
  'inputChannels',
  'run',
  'kernelHeight',
  'kernelWidth',
  'strideHeight',
  'strideWidth',
  'padTop',
  'padLeft',
  'rowsBelow',
  'pixelBytes',
  'period',
  'scratch',
  'scratchBytes',
  'low',
  'high',
  'highLane',
  'factor',
  'offset',
  'residualScale',
  'epilogue',
  'rounder',
  'lowest',
  'highest',
  'splitter',
] as const;

export const INSTRUCTION_BYTES = FIELDS.length * 4;
const FLOATS: ReadonlySet<string> = new Set(['low', 'high', 'factor', 'offset', 'residualScale', 'rounder', 'lowest', 'highest']);
const IS_FLOAT = FIELDS.map((field) => FLOATS.has(field));

export type Instruction = { kernel: Kernel; units: number } & Partial<Record<(typeof FIELDS)[number], number>>;

/** Writes instructions one after the other; what is not given is 0. */
export function writeProgram(memory: WebAssembly.Memory, pointer: number, program: readonly Instruction[]): void {
  const integers = new Uint32Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  let at = pointer / 4;
  // Plain loops: no compiler has seen this code when it writes the first inference's program.
  for (const instruction of program) {
    for (let j = 0; j < FIELDS.length; j++, at++) {
      (IS_FLOAT[j] ? floats : integers)[at] = instruction[FIELDS[j] as (typeof FIELDS)[number]] ?? 0;
    }
  }
}
