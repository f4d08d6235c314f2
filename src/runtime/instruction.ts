import { Epilogue, Operation } from './operation.js';

/** The words of an instruction, in the order of assembly/arguments.ts (test/runtime/instruction.test.ts compares them). */
export const FIELDS = [
  'op',
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
  'otherScale',
  'height',
  'width',
  'inputChannels',
  'channels',
  'kernelHeight',
  'kernelWidth',
  'strideHeight',
  'strideWidth',
  'inputHeight',
  'inputWidth',
  'padTop',
  'padLeft',
  'low',
  'high',
  'alpha',
  'beta',
  'scratch',
  'scratchBytes',
  'sourceChannels',
  'highLane',
  'epilogue',
] as const;

export const INSTRUCTION_BYTES = FIELDS.length * 4;
const FLOATS: ReadonlySet<string> = new Set(['low', 'high', 'alpha', 'beta']);

export type Instruction = { op: Operation; units: number } & Partial<Record<(typeof FIELDS)[number], number>>;

/** Writes instructions one after the other; what is not given is 0. */
export function writeProgram(memory: WebAssembly.Memory, pointer: number, program: readonly Instruction[]): void {
  const view = new DataView(memory.buffer);
  program.forEach((instruction, i) => {
    FIELDS.forEach((field, j) => {
      const at = pointer + i * INSTRUCTION_BYTES + j * 4;
      const value = instruction[field] ?? 0;
      if (FLOATS.has(field)) view.setFloat32(at, value, true);
      else view.setUint32(at, value, true);
    });
  });
}

export { Epilogue, Operation };
