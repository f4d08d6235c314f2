import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import {
  type Activation,
  type ConvNode,
  INPUT,
  INPUT_CHANNELS,
  imageInput,
  inferShapes,
  type Node,
  type Padding,
  type UnnamedNode,
} from '../../graph/graph.js';
import { type FloatWeights, IMAGENET_PREPROCESSING, type Network } from '../../graph/network.js';
import { foldBatchNorm } from '../fold.js';
import { toChannelsLast } from '../layout.js';
import { recognize } from '../recognize.js';
import { firstNotFinite } from '../tensors.js';
import { type OnnxNode, type OnnxTensor, readModel } from './model.js';

const DEFAULT_RESOLUTION = 224;
const SMALLEST = 32;
const LARGEST = 512;

/**
 * An .onnx file of torchvision or timm to a float network, operator by operator: batch norms folded by the exporter or not,
 * h-swish as one operator or spelled out.
 *
 * @throws ModelFormatError for a damaged file, UnsupportedModelError for operators outside the family
 */
export function readOnnx(bytes: Uint8Array): Network {
  return new Importer(bytes).network();
}

class Importer {
  private readonly nodes: Node[] = [];
  private readonly weights = new Map<string, FloatWeights>();
  private readonly constants: Map<string, OnnxTensor>;
  /** The node whose output each tensor is. */
  private readonly names = new Map<string, string>();
  private readonly model;
  private made = 0;

  constructor(bytes: Uint8Array) {
    this.model = readModel(bytes);
    this.constants = new Map(this.model.constants);
  }

  network(): Network {
    const { input, nodes, output } = this.model;
    const [, channels, height, width] = input.shape;
    if (input.shape.length !== 4 || channels !== INPUT_CHANNELS) {
      throw new UnsupportedModelError(`onnx: the input has shape [${input.shape}]; [n, 3, height, width] was expected.`);
    }
    this.names.set(input.name, INPUT);
    for (const node of nodes) this.add(node);
    const last = this.nodes.at(-1);
    const embedding = this.nodes.filter(({ kind }) => kind === 'globalAveragePool').at(-1);
    if (last?.kind !== 'conv' || !embedding || this.names.get(output) !== last.name) {
      throw new UnsupportedModelError('onnx: the network does not end with a pool and a classifier.');
    }
    const fixed = height !== undefined && height === width && height >= SMALLEST && height <= LARGEST;
    const resolution = fixed ? height : DEFAULT_RESOLUTION;
    inferShapes(this.nodes, imageInput(resolution, resolution));
    const outputs = { logits: last.name, embedding: embedding.name };
    const graph = { architecture: 'custom', width: 1, resolution, classes: last.channels, nodes: this.nodes, outputs };
    return recognize({ graph, weights: this.weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING });
  }

  private name(tensor: string | undefined): string {
    const name = tensor === undefined ? undefined : this.names.get(tensor);
    if (!name) throw new ModelFormatError(`onnx: tensor "${tensor}" is read before it is computed.`);
    return name;
  }

  private push({ output }: OnnxNode, node: UnnamedNode): string {
    const name = `n${this.made++}`;
    this.nodes.push({ ...node, name });
    this.names.set(output, name);
    return name;
  }

  private constant(node: OnnxNode, index: number): OnnxTensor {
    const tensor = this.constants.get(node.inputs[index] ?? '');
    if (!tensor) throw new UnsupportedModelError(`onnx: input ${index} of ${node.operator} "${node.output}" is not in the file.`);
    return tensor;
  }

  /** The one number that a constant input is; undefined for one that is computed or left out. */
  private scalar(node: OnnxNode, index: number): number | undefined {
    const tensor = this.constants.get(node.inputs[index] ?? '');
    return tensor?.values.length === 1 ? tensor.values[0] : undefined;
  }

  private activation(node: OnnxNode, activation: Activation): void {
    this.push(node, { kind: 'activation', inputs: [this.name(node.inputs[0])], activation });
  }

  private add(node: OnnxNode): void {
    const { operator, inputs, output, attributes } = node;
    const attribute = (name: string) => attributes.get(name);
    switch (operator) {
      case 'Conv':
        this.addConv(node);
        return;
      case 'Gemm':
      case 'MatMul':
        this.addDense(node);
        return;
      case 'BatchNormalization':
        this.foldBatchNorm(node);
        return;
      case 'HardSwish':
        this.activation(node, 'hardSwish');
        return;
      case 'HardSigmoid': {
        const alpha = attribute('alpha')?.float ?? 0.2;
        const beta = attribute('beta')?.float ?? 0.5;
        if (Math.abs(alpha - 1 / 6) > 1e-4 || beta !== 0.5) throw new UnsupportedModelError(`onnx: a HardSigmoid of slope ${alpha}.`);
        this.activation(node, 'hardSigmoid');
        return;
      }
      case 'Relu':
        this.activation(node, 'relu');
        return;
      case 'Clip': {
        const low = attribute('min')?.float ?? this.scalar(node, 1) ?? Number.NEGATIVE_INFINITY;
        const high = attribute('max')?.float ?? this.scalar(node, 2) ?? Number.POSITIVE_INFINITY;
        if (low === 0 && high === 6) this.activation(node, 'relu6');
        else this.push(node, { kind: 'affine', inputs: [this.name(inputs[0])], alpha: 1, beta: 0, low, high });
        return;
      }
      case 'GlobalAveragePool':
        this.push(node, { kind: 'globalAveragePool', inputs: [this.name(inputs[0])] });
        return;
      case 'ReduceMean': {
        const axes = attribute('axes')?.ints ?? [...(this.constants.get(inputs[1] ?? '')?.values ?? [])];
        const spatial = axes.map((axis) => (axis < 0 ? axis + 4 : axis)).sort();
        if (spatial.join() !== '2,3') throw new UnsupportedModelError(`onnx: a ReduceMean over axes ${axes}.`);
        this.push(node, { kind: 'globalAveragePool', inputs: [this.name(inputs[0])] });
        return;
      }
      case 'Constant': {
        const tensor = attribute('value')?.tensor;
        if (tensor) this.constants.set(output, tensor);
        return;
      }
      case 'Identity':
        if (this.constants.has(inputs[0] ?? '')) this.constants.set(output, this.constant(node, 0));
        else this.names.set(output, this.name(inputs[0]));
        return;
      case 'Flatten':
      case 'Reshape':
      case 'Squeeze':
      case 'Unsqueeze':
      case 'Dropout':
      case 'Softmax':
        this.names.set(output, this.name(inputs[0]));
        return;
      // What computes the shape for a Reshape after the pool changes no value.
      case 'Shape':
      case 'Gather':
      case 'Concat':
        return;
      case 'Add':
      case 'Mul':
      case 'Div':
        this.addArithmetic(node);
        return;
      default:
        throw new UnsupportedModelError(`onnx: operator ${operator}; the networks of the family have none of it.`);
    }
  }

  /** Of two tensors, or of a tensor and a number. */
  private addArithmetic(node: OnnxNode): void {
    const { operator, inputs } = node;
    const index = this.scalar(node, 1) !== undefined ? 1 : 0;
    const value = this.scalar(node, index);
    if (value !== undefined) {
      if (operator === 'Div' && index === 0) throw new UnsupportedModelError('onnx: a number divided by a tensor.');
      const input = this.name(inputs[1 - index]);
      const affine = operator === 'Add' ? { alpha: 1, beta: value } : { alpha: operator === 'Div' ? 1 / value : value, beta: 0 };
      this.push(node, { kind: 'affine', inputs: [input], ...affine });
      return;
    }
    if (operator === 'Div') throw new UnsupportedModelError('onnx: a tensor divided by a tensor.');
    const names = [this.name(inputs[0]), this.name(inputs[1])];
    if (operator === 'Add') this.push(node, { kind: 'add', inputs: names, activation: 'none' });
    else this.addProduct(node, names as [string, string]);
  }

  /** x * h-sigmoid(x) is h-swish; any other product has its gate second. */
  private addProduct(node: OnnxNode, [a, b]: [string, string]): void {
    const made = new Map(this.nodes.map((other) => [other.name, other]));
    for (const [x, gate] of [
      [a, b],
      [b, a],
    ] as const) {
      const maker = made.get(gate);
      if (maker?.kind === 'activation' && maker.activation === 'hardSigmoid' && maker.inputs[0] === x) {
        this.push(node, { kind: 'activation', inputs: [x], activation: 'hardSwish' });
        this.nodes.splice(this.nodes.indexOf(maker), 1);
        return;
      }
    }
    const gateFirst = this.onePixel(a, made) && !this.onePixel(b, made);
    this.push(node, { kind: 'multiply', inputs: gateFirst ? [b, a] : [a, b] });
  }

  /** Whether a tensor comes from a pool, through nodes that leave one pixel one pixel. */
  private onePixel(name: string, made: ReadonlyMap<string, Node>): boolean {
    for (let node = made.get(name); node; node = made.get(node.inputs[0] as string)) {
      if (node.kind === 'globalAveragePool') return true;
      if (node.kind === 'multiply' || node.kind === 'add') return false;
    }
    return false;
  }

  private addConv(node: OnnxNode): void {
    const filter = this.constant(node, 1);
    const ints = (name: string, otherwise: readonly number[]) => node.attributes.get(name)?.ints ?? otherwise;
    const [channels = 0, perGroup = 0, height = 0, width = 0] = filter.shape;
    const groups = node.attributes.get('group')?.int ?? 1;
    const strides = ints('strides', [1, 1]);
    const pads = ints('pads', [0, 0, 0, 0]);
    const automatic = node.attributes.get('auto_pad')?.text ?? 'NOTSET';
    const sound = filter.shape.length === 4 && channels * perGroup * height * width > 0 && strides.length === 2 && pads.length === 4;
    if (!sound || (groups !== 1 && (groups !== channels || perGroup !== 1)) || ints('dilations', [1, 1]).some((d) => d !== 1)) {
      throw new UnsupportedModelError(`onnx: a Conv of ${groups} groups with a filter of shape [${filter.shape}].`);
    }
    const symmetric: Padding = pads.every((p) => p === 0)
      ? 'valid'
      : [pads[0] as number, pads[2] as number, pads[1] as number, pads[3] as number];
    const padding: Padding =
      automatic === 'SAME_UPPER' ? 'same' : automatic === 'NOTSET' || automatic === 'VALID' ? symmetric : this.refuse(automatic);
    this.pushConv(
      node,
      { height, width, groups, perGroup, channels, strides: strides as [number, number], padding },
      filter,
      node.inputs[2] ? 2 : undefined,
    );
  }

  private refuse(padding: string): never {
    throw new UnsupportedModelError(`onnx: padding ${padding}.`);
  }

  private addDense(node: OnnxNode): void {
    const { operator, attributes } = node;
    const matrix = this.constant(node, 1);
    if (matrix.shape.length !== 2) throw new UnsupportedModelError(`onnx: a ${operator} with a matrix of shape [${matrix.shape}].`);
    const [rows = 0, columns = 0] = matrix.shape;
    const plain =
      [attributes.get('alpha')?.float ?? 1, attributes.get('beta')?.float ?? 1, attributes.get('transA')?.int ?? 0].join() === '1,1,0';
    if (!plain) throw new UnsupportedModelError('onnx: a Gemm that scales or transposes its input.');
    const transposed = attributes.get('transB')?.int === 1;
    const [channels, inputs] = transposed ? [rows, columns] : [columns, rows];
    const values = new Float32Array(matrix.values.length);
    if (transposed) values.set(matrix.values);
    else
      for (let i = 0; i < inputs; i++)
        for (let o = 0; o < channels; o++) values[o * inputs + i] = matrix.values[i * channels + o] as number;
    const shape = {
      height: 1,
      width: 1,
      groups: 1,
      perGroup: inputs,
      channels,
      strides: [1, 1] as [number, number],
      padding: 'valid' as const,
    };
    this.pushConv(node, shape, { shape: [channels, inputs, 1, 1], values }, node.inputs[2] ? 2 : undefined);
  }

  private pushConv(
    node: OnnxNode,
    c: { height: number; width: number; groups: number; perGroup: number; channels: number; strides: [number, number]; padding: Padding },
    filter: OnnxTensor,
    biasIndex: number | undefined,
  ): void {
    const { height, width, groups, perGroup, channels, strides, padding } = c;
    const bias = biasIndex === undefined ? new Float32Array(channels) : Float32Array.from(this.constant(node, biasIndex).values);
    if (bias.length !== channels) throw new ModelFormatError(`onnx: ${bias.length} biases for ${channels} channels.`);
    const conv: Omit<ConvNode, 'name'> = {
      kind: 'conv',
      inputs: [this.name(node.inputs[0])],
      kernel: [height, width],
      strides,
      padding,
      inputChannels: perGroup * groups,
      channels,
      groups,
      activation: 'none',
    };
    const values = filter.values instanceof Float32Array ? filter.values : Float32Array.from(filter.values);
    const weights = { filter: toChannelsLast(values, [channels, perGroup, height, width]), bias };
    this.weights.set(this.push(node, conv), checkFinite(weights, node.output));
  }

  /** Into the convolution before it. */
  private foldBatchNorm(node: OnnxNode): void {
    const name = this.name(node.inputs[0]);
    const weights = this.weights.get(name);
    if (!weights) throw new UnsupportedModelError('onnx: a BatchNormalization that follows no Conv.');
    const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => this.constant(node, i).values) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const epsilon = node.attributes.get('epsilon')?.float ?? 1e-5;
    const folded = foldBatchNorm(weights, { name: node.output, gamma, beta, mean, variance, epsilon });
    this.weights.set(name, checkFinite(folded, node.output));
    this.names.set(node.output, name);
  }
}

function checkFinite(weights: FloatWeights, output: string): FloatWeights {
  if (firstNotFinite(weights.filter) >= 0 || firstNotFinite(weights.bias) >= 0) {
    throw new ModelFormatError(`onnx: the weights of "${output}" hold values that are not finite.`);
  }
  return weights;
}
