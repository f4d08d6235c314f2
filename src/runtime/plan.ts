import type { Engine } from '../engine/engine.js';
import { Epilogue, INSTRUCTION_BYTES, type Instruction, Operation, writeProgram } from '../engine/instruction.js';
import { QuantizationError, UnsupportedModelError } from '../errors.js';
import { type ConvNode, INPUT, INPUT_CHANNELS, inferShapes, isDepthwise, type Node, resolvePadding, type Shape } from '../graph/graph.js';
import { GATE_LANES, type Lanes, scaleOf } from '../graph/lanes.js';
import { isQuantized, type Network, type QuantizedWeights, type Weights } from '../graph/network.js';
import { multiplyAdds } from '../graph/summary.js';
import { type Buffer, peakBytes, placeBuffers } from './arena.js';
import { activationRange, isPointwise, type PackedConv, packFloat, packQuantized, padChannels } from './pack.js';

/** Rows and columns of an image that no window reaches over the edges of. */
const ALL = 0x7fffffff;

/** A tensor of the plan: a buffer with a layout. */
interface Tensor extends Buffer {
  readonly name: string;
  readonly shape: Shape;
  /** Undefined: float32. */
  readonly lanes?: Lanes;
  readonly elementBytes: 4 | 2;
  /** Channels of a pixel in memory: padded to 8, but for the image and what is computed from it element by element. */
  readonly stored: number;
  /** Zeros around the pixels, for a depthwise convolution that reads over the edge. */
  halo: { top: number; bottom: number; left: number; right: number };
}

/** Where a float32 tensor lies, for whoever looks at it from outside. */
export interface TensorView {
  readonly name: string;
  readonly shape: Shape;
  readonly pointer: number;
  readonly rowStride: number;
  readonly pixelStride: number;
}

/** One node's share of the program. */
export interface Step {
  readonly name: string;
  readonly kind: string;
  readonly madds: number;
  /** Index of its first instruction, and how many it has. */
  readonly first: number;
  readonly count: number;
  /** What it writes; undefined for conversions. */
  readonly output?: TensorView & { readonly lanes?: Lanes };
}

/** A flat list of kernel calls on addresses that are settled. */
export interface Layout {
  readonly program: number;
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
export interface Plan extends Layout {
  readonly height: number;
  readonly width: number;
  readonly input: TensorView;
  readonly logits: TensorView;
  readonly embedding: TensorView;
}

/** What of a network packing needs. */
export type Packable = Pick<Network, 'lanes'> & {
  readonly graph: Pick<Network['graph'], 'nodes'>;
  readonly weights: ReadonlyMap<string, Weights | QuantizedWeights>;
};

/** Weights packed into an engine's memory, once; every plan refers to them. */
export class PackedNetwork {
  private readonly convs = new Map<string, PackedConv>();

  constructor(
    readonly engine: Engine,
    readonly network: Packable,
    inputsOfOnePixel: readonly string[] = [],
  ) {
    // Which tensors hold the image's own three channels, or one pixel, does not depend on its size.
    const imageLike = new Set([INPUT]);
    const onePixel = new Set(inputsOfOnePixel);
    for (const node of network.graph.nodes) {
      const input = node.inputs[0] as string;
      if (node.kind === 'affine' && imageLike.has(input)) imageLike.add(node.name);
      const keepsSize = node.kind === 'activation' || node.kind === 'affine' || (node.kind === 'conv' && isPointwise(node));
      if (node.kind === 'globalAveragePool' || (keepsSize && onePixel.has(input))) onePixel.add(node.name);
      if (node.kind === 'conv') this.convs.set(node.name, this.pack(node, imageLike.has(input), onePixel.has(input)));
    }
  }

  conv(name: string): PackedConv {
    return this.convs.get(name) as PackedConv;
  }

  private pack(node: ConvNode, fromImage: boolean, onePixel: boolean): PackedConv {
    const weights = this.network.weights.get(node.name);
    if (!weights) throw new UnsupportedModelError(`${node.name}: the model holds no weights for it.`);
    const source = { channels: fromImage ? node.inputChannels : padChannels(node.inputChannels), onePixel };
    if (!isQuantized(weights)) return packFloat(this.engine, node, weights, source);
    const residual = node.inputs[1];
    return packQuantized(this.engine, node, weights, source, {
      input: this.lanes(node.inputs[0] as string),
      output: this.lanes(node.name),
      ...(residual ? { residual: this.lanes(residual) } : {}),
    });
  }

  lanes(name: string): Lanes {
    const lanes = this.network.lanes.get(name);
    if (!lanes) throw new QuantizationError(`tensor "${name}" is read or written by a quantized layer but has no scale.`);
    return lanes;
  }

  /** Whether a node works on lanes: a convolution if its weights are quantized, another node if its tensors have lanes. */
  quantized(node: Node): boolean {
    if (node.kind !== 'conv') return [node.name, ...node.inputs].every((name) => this.network.lanes.has(name));
    const weights = this.network.weights.get(node.name);
    return weights !== undefined && isQuantized(weights);
  }
}

interface Operator {
  readonly name: string;
  readonly kind: string;
  readonly madds: number;
  readonly output: Tensor;
  readonly converts?: boolean;
  /** Called when all addresses are settled. */
  readonly emit: () => Instruction[];
}

/** A network for one input size, an image in float32; logits and embedding come out in float32. */
export function createPlan(packed: PackedNetwork, { graph }: Network, height: number, width: number): Plan {
  const last = graph.nodes.at(-1)?.name as string;
  const outputs = [last, graph.embedding].map((name) => ({ name, quantized: false }));
  const layout = layOut(packed, [{ name: INPUT, shape: [height, width, INPUT_CHANNELS] }], outputs);
  const input = layout.inputs[0] as TensorView;
  const [logits, embedding] = layout.outputs as [TensorView, TensorView];
  return { ...layout, height, width, input, logits, embedding };
}

export interface LayoutInput {
  /** INPUT is an image, its channels as many as they are; those of other tensors are padded. */
  readonly name: string;
  readonly shape: Shape;
  /** Undefined: float32. */
  readonly lanes?: Lanes;
}

/** Lays packed nodes out for inputs of given shapes: shapes, padding, memory and kernels are settled here and only here. */
export function layOut(
  packed: PackedNetwork,
  inputs: readonly LayoutInput[],
  outputs: readonly { readonly name: string; readonly quantized: boolean }[],
): Layout {
  return new Planner(packed, inputs).layOut(outputs);
}

class Planner {
  private readonly shapes: Map<string, Shape>;
  private readonly inputs: readonly Tensor[];
  private readonly tensors = new Map<string, Tensor>();
  private readonly buffers: Buffer[] = [];
  private readonly operators: Operator[] = [];
  private arena = 0;

  constructor(
    private readonly packed: PackedNetwork,
    inputs: readonly LayoutInput[],
  ) {
    this.shapes = inferShapes(
      packed.network.graph.nodes,
      inputs.map(({ name, shape }) => [name, shape]),
    );
    this.inputs = inputs.map(({ name, shape, lanes }) => this.tensor(name, name, lanes, name === INPUT ? shape[2] : padChannels(shape[2])));
  }

  layOut(wanted: readonly { readonly name: string; readonly quantized: boolean }[]): Layout {
    const { engine, network } = this.packed;
    for (const node of network.graph.nodes) this.add(node);
    const outputs = wanted.map(({ name, quantized }) => this.read(name, quantized));
    for (const tensor of outputs) tensor.lastStep = this.operators.length;
    const arenaBytes = placeBuffers(this.buffers);
    this.arena = engine.allocate(arenaBytes);
    const program: Instruction[] = [];
    const steps = this.operators.map((operator): Step => {
      const first = program.length;
      const halo = this.clearHalo(operator.output);
      program.push(...halo, ...operator.emit());
      const { name, kind, madds } = operator;
      const view = this.view(operator.output);
      const lanes = operator.output.lanes;
      const written = operator.converts ? {} : { output: lanes ? { ...view, lanes } : view };
      return { name, kind, madds, first, count: program.length - first, ...written };
    });
    const pointer = engine.allocate(program.length * INSTRUCTION_BYTES);
    writeProgram(engine.memory, pointer, program);
    return {
      program: pointer,
      instructions: program.length,
      inputs: this.inputs.map((tensor) => ({
        ...this.view(tensor),
        reserved: { pointer: this.arena + tensor.offset, bytes: tensor.bytes },
      })),
      outputs: outputs.map((tensor) => this.view(tensor)),
      steps,
      arenaBytes,
      liveBytes: peakBytes(this.buffers),
    };
  }

  // --- tensors

  private tensor(key: string, name: string, lanes: Lanes | undefined, stored: number): Tensor {
    const shape = this.shapes.get(name) as Shape;
    const elementBytes = lanes ? 2 : 4;
    const step = this.operators.length;
    const halo = { top: 0, bottom: 0, left: 0, right: 0 };
    const tensor: Tensor = {
      name,
      shape,
      ...(lanes ? { lanes } : {}),
      elementBytes,
      stored,
      halo,
      firstStep: step,
      lastStep: step,
      offset: 0,
      get bytes() {
        const rows = halo.top + shape[0] + halo.bottom;
        return rows * (halo.left + shape[1] + halo.right) * stored * elementBytes;
      },
    };
    this.tensors.set(key, tensor);
    this.buffers.push(tensor);
    return tensor;
  }

  private rowStride(tensor: Tensor): number {
    return (tensor.halo.left + tensor.shape[1] + tensor.halo.right) * tensor.stored * tensor.elementBytes;
  }

  private pointer(tensor: Tensor): number {
    const pixel = tensor.stored * tensor.elementBytes;
    return this.arena + tensor.offset + tensor.halo.top * this.rowStride(tensor) + tensor.halo.left * pixel;
  }

  private view(tensor: Tensor): TensorView {
    const { name, shape, stored, elementBytes } = tensor;
    return { name, shape, pointer: this.pointer(tensor), rowStride: this.rowStride(tensor), pixelStride: stored * elementBytes };
  }

  /** The tensor in the wanted domain, by a conversion if it lies in the other one; marks it as read by the next step. */
  private read(name: string, quantized: boolean): Tensor {
    const key = `${name}:${quantized ? 'q' : 'f'}`;
    let tensor = this.tensors.get(key);
    if (!tensor) {
      const source = this.tensors.get(name) as Tensor;
      if ((source.lanes !== undefined) === quantized) tensor = source;
      else tensor = this.convert(source, key, quantized);
    }
    tensor.lastStep = Math.max(tensor.lastStep, this.operators.length);
    return tensor;
  }

  private convert(source: Tensor, key: string, quantized: boolean): Tensor {
    const { name, shape } = source;
    source.lastStep = this.operators.length;
    const lanes = this.packed.lanes(name);
    const output = this.tensor(key, name, quantized ? lanes : undefined, source.stored);
    // Eight at a time: an image's three channels, if they have a scale each, repeat after 24 values.
    const period = source.stored % 8 === 0 ? source.stored : typeof lanes.scale === 'number' ? 8 : source.stored * 8;
    const value = (channel: number) => (quantized ? 1 / scaleOf(lanes, channel) : scaleOf(lanes, channel));
    const scale = this.constant(period, (i) => (i % source.stored < shape[2] ? value(i % source.stored) : 1), lanes);
    const op = quantized ? Operation.q16_quantize : Operation.q16_dequantize;
    const range = { low: lanes.low, high: lanes.high, highLane: lanes.high };
    const emit = () => [{ ...this.elementwise(op, source, output), scale, sourceChannels: period, ...range }];
    this.operators.push({ name, kind: quantized ? 'quantize' : 'dequantize', madds: 0, output, converts: true, emit });
    return output;
  }

  /** Values a channel, which are all the same where each of the lanes has one scale; compute them one by one otherwise. */
  private constant(length: number, value: (channel: number) => number, ...lanes: readonly Lanes[]): number {
    const pointer = this.packed.engine.allocate(length * 4);
    const values = this.packed.engine.floats(pointer, length);
    if (lanes.every(({ scale }) => typeof scale === 'number')) values.fill(value(0));
    else for (let i = 0; i < length; i++) values[i] = value(i);
    return pointer;
  }

  private clearHalo(tensor: Tensor): Instruction[] {
    const { top, bottom, left, right } = tensor.halo;
    if (top + bottom + left + right === 0) return [];
    return [
      {
        op: Operation.clear_halo,
        units: 1,
        output: this.pointer(tensor),
        outputRowStride: this.rowStride(tensor),
        height: tensor.shape[0],
        width: tensor.shape[1],
        channels: tensor.stored * tensor.elementBytes,
        padTop: top,
        padLeft: left,
        inputHeight: bottom,
      },
    ];
  }

  // --- nodes

  private add(node: Node): void {
    const quantized = this.packed.quantized(node);
    const inputs = node.inputs.map((name) => this.read(name, quantized));
    // A conversion of a later input came between: all of them live up to this node.
    for (const tensor of inputs) tensor.lastStep = this.operators.length;
    const input = inputs[0] as Tensor;
    const image = input.stored % 8 !== 0;
    if (image && node.kind !== 'conv' && node.kind !== 'affine') {
      throw new UnsupportedModelError(`${node.name}: a ${node.kind} of the image itself is not supported.`);
    }
    const shape = this.shapes.get(node.name) as Shape;
    const stored = image && node.kind === 'affine' ? input.stored : padChannels(shape[2]);
    const output = this.tensor(node.name, node.name, quantized ? this.packed.lanes(node.name) : undefined, stored);
    if (node.kind === 'conv') {
      this.conv(node, input, inputs[1], output);
      return;
    }
    const emit = quantized ? this.quantizedNode(node, inputs, output) : this.floatNode(node, inputs, output);
    this.operators.push({ name: node.name, kind: node.kind, madds: 0, output, emit });
  }

  private conv(node: ConvNode, input: Tensor, residual: Tensor | undefined, output: Tensor): void {
    const packed = this.packed.conv(node.name);
    const padding = resolvePadding(node.padding, [input.shape[0], input.shape[1]], node.kernel, node.strides);
    const [height, width] = output.shape;
    const common = {
      filter: packed.filter,
      bias: packed.bias,
      scale: packed.scale,
      otherScale: packed.gateScale,
      alpha: packed.residualScale,
      low: packed.low,
      high: packed.high,
      highLane: output.lanes ? packed.high : 0,
      inputChannels: packed.run,
      kernelHeight: node.kernel[0],
      kernelWidth: node.kernel[1],
      strideHeight: node.strides[0],
      strideWidth: node.strides[1],
      padTop: padding[0],
      padLeft: padding[2],
    };
    const prefix = output.lanes ? 'q16' : 'f32';
    const epilogue = residual ? Epilogue.residual : node.activation === 'hardSwish' ? Epilogue.hardSwish : Epilogue.clamp;
    if (residual && node.activation === 'hardSwish') throw new UnsupportedModelError(`${node.name}: h-swish of a residual.`);
    const madds = multiplyAdds(node, output.shape);
    const push = (kind: string, name: string, units: number, emit: () => Partial<Instruction>) => {
      const op = Operation[`${prefix}_${name}` as keyof typeof Operation];
      if (residual && name !== 'pointwise') throw new UnsupportedModelError(`${node.name}: no kernel for a ${name} with a residual.`);
      const instruction = () => ({ ...this.elementwise(op, input, output), ...common, ...emit(), epilogue, units });
      this.operators.push({ name: node.name, kind, madds, output, emit: () => [instruction()] });
    };

    if (isDepthwise(node)) {
      if (input.stored % 8 !== 0) throw new UnsupportedModelError(`${node.name}: a depthwise convolution of the image itself.`);
      this.widenHalo(input, node, padding, output.shape);
      const [kernel, stride] = [node.kernel[0], node.strides[0]];
      const square = node.kernel[1] === kernel && node.strides[1] === stride;
      const fast = square && (kernel === 3 || kernel === 5) && (stride === 1 || stride === 2) && width >= 4;
      const name = fast ? `depthwise_${kernel}x${kernel}s${stride}` : 'depthwise';
      push('depthwise', name, height, () => ({ input: this.cornerOf(input, padding) }));
      return;
    }
    if (isPointwise(node) && input.stored % 8 === 0) {
      const pixels = height * width;
      const kind = pixels === 1 ? 'fullyConnected' : 'pointwise';
      const other = () => (residual ? { other: this.pointer(residual), otherRowStride: this.rowStride(residual) } : {});
      if (packed.vector) push(kind, 'vector', output.stored / 8, other);
      else push(kind, 'pointwise', Math.ceil(pixels / 4), other);
      return;
    }
    const scratchBytes = 4 * node.kernel[0] * packed.run * input.elementBytes;
    const step = this.operators.length;
    const scratch: Buffer = { bytes: scratchBytes * this.packed.engine.threads, firstStep: step, lastStep: step, offset: 0 };
    this.buffers.push(scratch);
    // What quantizes the image for one convolution leaves room around it: no window of it reaches over an edge.
    const quantize = this.operators.at(-1);
    const roomy = quantize?.kind === 'quantize' && quantize.output === input && this.readersOf(input) === 1;
    if (roomy) this.widenHalo(input, node, padding, output.shape);
    const inside = () => ({ input: this.cornerOf(input, padding), padTop: 0, padLeft: 0, inputHeight: ALL, inputWidth: ALL });
    push('convolution', 'convolution', height, () => ({
      scratch: this.arena + scratch.offset,
      scratchBytes,
      sourceChannels: input.stored,
      ...(roomy ? inside() : {}),
    }));
  }

  private readersOf({ name }: Tensor): number {
    return this.packed.network.graph.nodes.filter(({ inputs }) => inputs.includes(name)).length;
  }

  /** Where the window of the first output pixel begins, in the halo. */
  private cornerOf(input: Tensor, [top, , left]: readonly number[]): number {
    const { pointer, rowStride, pixelStride } = this.view(input);
    return pointer - (top as number) * rowStride - (left as number) * pixelStride;
  }

  /** Makes room around a tensor for all that a convolution reads, a depthwise one two rows at a time. */
  private widenHalo(input: Tensor, node: ConvNode, [top, , left]: readonly number[], [height, width]: Shape): void {
    const [kernelHeight, kernelWidth] = node.kernel;
    const rows = input.lanes ? kernelHeight + (kernelHeight % 2) : kernelHeight;
    const bottom = (height - 1) * node.strides[0] + rows - (top as number) - input.shape[0];
    const right = (width - 1) * node.strides[1] + kernelWidth - (left as number) - input.shape[1];
    const { halo } = input;
    halo.top = Math.max(halo.top, top as number);
    halo.left = Math.max(halo.left, left as number);
    halo.bottom = Math.max(halo.bottom, bottom);
    halo.right = Math.max(halo.right, right);
  }

  /** The fields that every instruction has, with the output's rows as units. */
  private elementwise(op: Operation, input: Tensor, output: Tensor): Instruction {
    const { shape, stored } = output;
    // The image's three channels are no multiple of 8: element by element, it is one long row of pixels of 8.
    const flat = stored % 8 !== 0 && input.stored === stored && op !== Operation.q16_quantize;
    const elements = Math.ceil((shape[0] * shape[1] * stored) / 8);
    return {
      op,
      units: flat ? 1 : shape[0],
      input: this.pointer(input),
      inputRowStride: this.rowStride(input),
      output: this.pointer(output),
      outputRowStride: this.rowStride(output),
      height: flat ? 1 : shape[0],
      width: flat ? elements : shape[1],
      channels: flat ? 8 : stored,
      inputHeight: input.shape[0],
      inputWidth: input.shape[1],
    };
  }

  private floatNode(node: Exclude<Node, ConvNode>, inputs: readonly Tensor[], output: Tensor): () => Instruction[] {
    const [input, other] = inputs as [Tensor, Tensor];
    const base = (op: Operation) => this.elementwise(op, input, output);
    const second = () => ({ other: this.pointer(other), otherRowStride: this.rowStride(other) });
    switch (node.kind) {
      case 'globalAveragePool': {
        const alpha = 1 / (input.shape[0] * input.shape[1]);
        return () => [{ ...base(Operation.f32_global_average_pool), units: output.stored / 8, alpha }];
      }
      case 'multiply': {
        const op = isOnePixel(other) ? Operation.f32_gate : Operation.f32_multiply;
        return () => [{ ...base(op), ...second() }];
      }
      case 'add': {
        const [low, high] = clampOnly(node.name, node.activation);
        const op = isOnePixel(other) ? Operation.f32_add_channels : Operation.f32_add;
        return () => [{ ...base(op), ...second(), low, high }];
      }
      default: {
        if (node.kind === 'activation' && node.activation === 'hardSwish') return () => [base(Operation.f32_hard_swish)];
        const affine = node.kind === 'affine' ? affineRange(node) : activationAsAffine(node.activation);
        return () => [{ ...base(Operation.f32_affine), ...affine }];
      }
    }
  }

  private quantizedNode(node: Exclude<Node, ConvNode>, inputs: readonly Tensor[], output: Tensor): () => Instruction[] {
    const [input, other] = inputs as [Tensor, Tensor];
    const out = output.lanes as Lanes;
    const { low, high } = out;
    const base = (op: Operation) => ({ ...this.elementwise(op, input, output), low, high });
    const second = () => ({ other: this.pointer(other), otherRowStride: this.rowStride(other) });
    // At least a block of 8, for tensors that are walked as one long row.
    const perChannel = (value: (channel: number) => number, ...lanes: readonly Lanes[]) =>
      this.constant(padChannels(output.stored), (c) => (c < output.shape[2] || output.stored < 8 ? value(c) : 0), out, ...lanes);
    const ratio = (lanes: Lanes | undefined) => perChannel((c) => scaleOf(lanes as Lanes, c) / scaleOf(out, c), lanes as Lanes);
    const outScale = () => {
      if (typeof out.scale !== 'number') throw new QuantizationError(`${node.name}: an offset needs one scale for the tensor.`);
      return out.scale;
    };
    switch (node.kind) {
      case 'globalAveragePool': {
        const pixels = input.shape[0] * input.shape[1];
        const scale = perChannel((c) => scaleOf(input.lanes as Lanes, c) / scaleOf(out, c) / pixels, input.lanes as Lanes);
        return () => [{ ...base(Operation.q16_global_average_pool), units: output.stored / 8, scale }];
      }
      case 'multiply': {
        const gate = other.lanes as Lanes;
        const perPixel = other.shape[0] * other.shape[1] > 1;
        const same = typeof out.scale === 'number' && out.scale === input.lanes?.scale;
        if (!perPixel && same && gate.scale === GATE_LANES.scale) return () => [{ ...base(Operation.q16_gate), ...second() }];
        const scale = perChannel(
          (c) => (scaleOf(input.lanes as Lanes, c) * scaleOf(gate, c)) / scaleOf(out, c),
          input.lanes as Lanes,
          gate,
        );
        const op = perPixel ? Operation.q16_multiply : Operation.q16_multiply_channels;
        return () => [{ ...base(op), ...second(), scale }];
      }
      case 'add': {
        if (isOnePixel(other) && !isOnePixel(input)) throw new UnsupportedModelError(`${node.name}: a quantized sum with one pixel.`);
        const [floor, ceiling] = clampOnly(node.name, node.activation);
        const range =
          floor === Number.NEGATIVE_INFINITY ? {} : { low: Math.max(low, 0), high: Math.min(high, Math.round(ceiling / outScale())) };
        const scale = ratio(input.lanes);
        const otherScale = ratio(other.lanes);
        return () => [{ ...base(Operation.q16_add), ...second(), scale, otherScale, ...range }];
      }
      default: {
        if (node.kind === 'activation' && node.activation === 'hardSwish') {
          const scale = ratio(input.lanes);
          const otherScale = perChannel((c) => scaleOf(input.lanes as Lanes, c) ** 2 / 6 / scaleOf(out, c), input.lanes as Lanes);
          return () => [{ ...base(Operation.q16_hard_swish), scale, otherScale }];
        }
        const affine = node.kind === 'affine' ? affineRange(node) : activationAsAffine(node.activation);
        const scale = perChannel((c) => (affine.alpha * scaleOf(input.lanes as Lanes, c)) / scaleOf(out, c), input.lanes as Lanes);
        const offset = affine.beta === 0 ? 0 : affine.beta / outScale();
        const range = {
          low: affine.low === Number.NEGATIVE_INFINITY ? low : Math.max(low, Math.round(affine.low / outScale())),
          high: affine.high === Number.POSITIVE_INFINITY ? high : Math.min(high, Math.round(affine.high / outScale())),
        };
        return () => [{ ...base(Operation.q16_affine), scale, beta: offset, ...range }];
      }
    }
  }
}

/** One pixel that goes with every pixel of the other operand. */
const isOnePixel = ({ shape }: Tensor) => shape[0] * shape[1] === 1;

function clampOnly(name: string, activation: ConvNode['activation']): readonly [number, number] {
  if (activation === 'hardSwish' || activation === 'hardSigmoid') throw new UnsupportedModelError(`${name}: ${activation} of a sum.`);
  return activationRange(activation);
}

function affineRange(node: Extract<Node, { kind: 'affine' }>) {
  const { alpha, beta, low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = node;
  return { alpha, beta, low, high };
}

function activationAsAffine(activation: ConvNode['activation']) {
  const [low, high] = activationRange(activation);
  return activation === 'hardSigmoid' ? { alpha: 1 / 6, beta: 0.5, low, high } : { alpha: 1, beta: 0, low, high };
}
