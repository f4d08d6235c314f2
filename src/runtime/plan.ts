import type { Arithmetic, Call } from '../compute/arithmetic.js';
import { convert } from '../compute/convert.js';
import { padChannels } from '../compute/convolution.js';
import { INSTRUCTION_BYTES, type Instruction, writeProgram } from '../engine/instruction.js';
import { Kernel } from '../engine/kernel.js';
import { UnsupportedModelError } from '../errors.js';
import { type Graph, INPUT, INPUT_CHANNELS, inferShapes, type Node, outputNames, type Shape } from '../graph/graph.js';
import { multiplyAdds } from '../graph/summary.js';
import { type Buffer, peakBytes, placeBuffers } from './arena.js';
import type { PackedNetwork } from './packed-network.js';
import { PlannedTensor, type TensorView } from './tensors.js';

/** One node's share of the program. */
export interface Step {
  readonly name: string;
  readonly kind: string;
  readonly madds: number;
  /** Index of its first instruction, and how many it has. */
  readonly first: number;
  readonly count: number;
  /** What it writes; undefined for conversions. */
  readonly output?: TensorView;
}

/** A flat list of instructions on addresses that are settled. */
export interface Program {
  readonly pointer: number;
  readonly instructions: number;
  /** Each with all the memory that is its own, for whoever fills it: there must be zeros around the pixels. */
  readonly inputs: readonly (TensorView & { readonly reserved: { readonly pointer: number; readonly bytes: number } })[];
  readonly outputs: readonly TensorView[];
  readonly steps: readonly Step[];
  readonly arenaBytes: number;
  /** The most bytes that are alive at once: the arena cannot be smaller. */
  readonly liveBytes: number;
}

/** A network at one input size. */
export interface Plan extends Program {
  readonly height: number;
  readonly width: number;
  readonly input: TensorView;
  /** By role. */
  readonly results: { readonly logits?: TensorView; readonly embedding: TensorView };
}

/** A network for one input size: an image goes in, and the graph's outputs come out, as real numbers. */
export function createPlan(packed: PackedNetwork, { outputs }: Graph, height: number, width: number): Plan {
  const { real } = packed.arithmetics;
  const image = { name: INPUT, shape: [height, width, INPUT_CHANNELS] as const, arithmetic: real };
  const wanted = outputNames(outputs).map((name) => ({ name, arithmetic: real }));
  const program = layOut(packed, [image], wanted);
  const viewOf = (name: string) => program.outputs[wanted.findIndex((output) => output.name === name)] as TensorView;
  const results = { ...(outputs.logits === undefined ? {} : { logits: viewOf(outputs.logits) }), embedding: viewOf(outputs.embedding) };
  return { ...program, height, width, input: program.inputs[0] as TensorView, results };
}

export interface ProgramInput {
  /** INPUT is an image, its channels as many as they are; those of other tensors are padded. */
  readonly name: string;
  readonly shape: Shape;
  readonly arithmetic: Arithmetic;
}

export interface ProgramOutput {
  readonly name: string;
  readonly arithmetic: Arithmetic;
}

/** Lays packed nodes out for inputs of given shapes: shapes, padding, memory and kernels are settled here and only here. */
export function layOut(packed: PackedNetwork, inputs: readonly ProgramInput[], outputs: readonly ProgramOutput[]): Program {
  return new Planner(packed, inputs).layOut(outputs);
}

/** A step whose addresses are not settled yet. */
interface PlannedStep {
  readonly name: string;
  readonly call: Call;
  readonly madds: number;
  readonly output: PlannedTensor;
  readonly converts: boolean;
  readonly scratch: Buffer | undefined;
}

class Planner {
  private readonly shapes: Map<string, Shape>;
  private readonly inputs: readonly PlannedTensor[];
  private readonly tensors = new Map<string, PlannedTensor>();
  private readonly buffers: Buffer[] = [];
  private readonly steps: PlannedStep[] = [];

  constructor(
    private readonly packed: PackedNetwork,
    inputs: readonly ProgramInput[],
  ) {
    this.shapes = inferShapes(
      packed.network.graph.nodes,
      inputs.map(({ name, shape }) => [name, shape]),
    );
    this.inputs = inputs.map(({ name, shape, arithmetic }) => {
      const isImage = name === INPUT;
      return this.tensor(name, arithmetic, isImage ? shape[2] : padChannels(shape[2]), !isImage);
    });
  }

  layOut(wanted: readonly ProgramOutput[]): Program {
    const { engine, network } = this.packed;
    for (const node of network.graph.nodes) this.add(node);
    const outputs = wanted.map(({ name, arithmetic }) => this.read(name, arithmetic));
    for (const tensor of outputs) tensor.lastStep = this.steps.length;
    const arenaBytes = placeBuffers(this.buffers);
    const arena = engine.allocate(arenaBytes);
    for (const tensor of this.tensors.values()) tensor.base = arena;
    const program: Instruction[] = [];
    const steps = this.steps.map(({ name, call, madds, output, converts, scratch }): Step => {
      const first = program.length;
      program.push(...clearHalo(output), call.instruction(scratch ? arena + scratch.offset : 0));
      return { name, kind: call.kind, madds, first, count: program.length - first, ...(converts ? {} : { output: output.view }) };
    });
    const pointer = engine.allocate(program.length * INSTRUCTION_BYTES);
    writeProgram(engine.memory, pointer, program);
    return {
      pointer,
      instructions: program.length,
      inputs: this.inputs.map((tensor) => ({
        ...tensor.view,
        reserved: { pointer: arena + tensor.offset, bytes: tensor.bytes },
      })),
      outputs: outputs.map((tensor) => tensor.view),
      steps,
      arenaBytes,
      liveBytes: peakBytes(this.buffers),
    };
  }

  private tensor(name: string, arithmetic: Arithmetic, stored: number, roomy: boolean): PlannedTensor {
    const shape = this.shapes.get(name) as Shape;
    const lanes = this.packed.lanesIn(arithmetic, name);
    const tensor = new PlannedTensor(name, shape, arithmetic, lanes, stored, roomy, this.steps.length);
    this.tensors.set(keyOf(name, arithmetic), tensor);
    this.buffers.push(tensor);
    return tensor;
  }

  /** The tensor in the wanted arithmetic, by a conversion if it lies in the other one; marks it as read by the next step. */
  private read(name: string, arithmetic: Arithmetic): PlannedTensor {
    const tensor = this.tensors.get(keyOf(name, arithmetic)) ?? this.convert(name, arithmetic);
    tensor.lastStep = this.steps.length;
    return tensor;
  }

  private convert(name: string, arithmetic: Arithmetic): PlannedTensor {
    const { real, lanes } = this.packed.arithmetics;
    const source = this.tensors.get(keyOf(name, arithmetic === real ? lanes : real)) as PlannedTensor;
    source.lastStep = this.steps.length;
    // An image that is read or written as one long row of values has no room for zeros; quantizing writes row by row.
    const readers = this.packed.network.graph.nodes.filter(({ inputs }) => inputs.includes(name));
    const byRows = arithmetic === lanes && readers.every(({ kind }) => kind === 'conv');
    const output = this.tensor(name, arithmetic, source.stored, source.roomy || byRows);
    this.steps.push({ name, call: convert(this.packed.engine, source, output), madds: 0, output, converts: true, scratch: undefined });
    return output;
  }

  private add(node: Node): void {
    const { engine } = this.packed;
    const arithmetic = this.packed.arithmeticOf(node);
    const inputs = node.inputs.map((name) => this.read(name, arithmetic));
    // A conversion of a later input came between: all of them live up to this node.
    for (const tensor of inputs) tensor.lastStep = this.steps.length;
    const [input, residual] = inputs as [PlannedTensor, PlannedTensor | undefined];
    const image = input.stored % 8 !== 0;
    if (image && node.kind !== 'conv' && node.kind !== 'affine') {
      throw new UnsupportedModelError(`${node.name}: a ${node.kind} of the image itself is not supported.`);
    }
    const shape = this.shapes.get(node.name) as Shape;
    const keepsImage = image && node.kind === 'affine';
    const output = this.tensor(node.name, arithmetic, keepsImage ? input.stored : padChannels(shape[2]), !keepsImage);
    const conv = node.kind === 'conv';
    const call = conv ? this.packed.conv(node.name).call(input, output, residual) : arithmetic.call(engine, node, inputs, output);
    if (call.margin) input.widen(call.margin);
    const madds = conv ? multiplyAdds(node, shape) : 0;
    this.steps.push({ name: node.name, call, madds, output, converts: false, scratch: this.scratch(call.scratchBytes) });
  }

  private scratch(bytesOfThread = 0): Buffer | undefined {
    if (bytesOfThread === 0) return undefined;
    const step = this.steps.length;
    const buffer = { bytes: bytesOfThread * this.packed.engine.threads, firstStep: step, lastStep: step, offset: 0 };
    this.buffers.push(buffer);
    return buffer;
  }
}

const keyOf = (name: string, arithmetic: Arithmetic) => `${name}:${arithmetic.name}`;

function clearHalo({ margin, shape, pointer, rowStride, pixelBytes }: PlannedTensor): Instruction[] {
  const { top, bottom, left, right } = margin;
  if (top + bottom + left + right === 0) return [];
  const [height, width] = shape;
  const zeros = { padTop: top, padLeft: left, rowsBelow: bottom, pixelBytes };
  return [{ kernel: Kernel.clear_halo, units: 1, output: pointer, outputRowStride: rowStride, height, width, ...zeros }];
}
