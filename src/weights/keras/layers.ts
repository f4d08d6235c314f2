import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import type { Activation, Curve, Padding } from '../../graph/graph.js';
import type { Network, Preprocessing } from '../../graph/network.js';
import { arithmetic } from '../arithmetic.js';
import { NetworkBuilder } from '../builder.js';
import type { Constant, Operation } from '../constants.js';
import { finish } from '../finish.js';
import { batchNormAffine } from '../fold.js';
import { resolutionOf } from '../resolution.js';
import { inboundOf, inputShapeOf, type Layer, layersOf, type Model, modelOf, placesOf, sidesOf } from './config.js';
import type { LayerName, LayerVariables } from './variables.js';

export interface LayersOptions {
  /** For messages: 'tfjs' or 'keras'. */
  readonly format: string;
  /** Of Keras: hard_sigmoid has another slope since 3. */
  readonly version: string;
  /** Where no layer of the network says it. */
  readonly preprocessing: Preprocessing;
}

const ALIASES =
  /^(Dropout|SpatialDropout[12]D|GaussianNoise|GaussianDropout|ActivityRegularization|Flatten|Reshape|InputLayer|Random\w+|Identity)$/;
const ARITHMETIC: Readonly<Record<string, Operation>> = {
  Add: 'add',
  Multiply: 'multiply',
  Subtract: 'subtract',
  TrueDivide: 'divide',
  Divide: 'divide',
};
/** TensorFlow's functions, as layers of Keras 2 name them. */
const FUNCTIONS: Readonly<Record<string, Operation>> = {
  'math.add': 'add',
  'math.subtract': 'subtract',
  'math.multiply': 'multiply',
  'math.truediv': 'divide',
  '__operators__.add': 'add',
};

/** A model as Keras describes it, Sequential or Functional, models inside of models, to a network. */
export function readLayers(config: Readonly<Record<string, unknown>>, variables: LayerVariables, options: LayersOptions): Network {
  return new Importer(variables, options).network(config);
}

class Importer {
  private builder!: NetworkBuilder;
  private made = 0;

  constructor(
    private readonly variables: LayerVariables,
    private readonly options: LayersOptions,
  ) {}

  network(config: Readonly<Record<string, unknown>>): Network {
    const { format, preprocessing } = this.options;
    const model = modelOf(config, format);
    this.builder = new NetworkBuilder(format, 3, resolutionOf(format, inputShapeOf(model, format)));
    this.builder.input('image');
    const output = this.addModel(model, ['image'], [{ name: model.name, place: '' }]);
    return finish(this.builder.build(output), format, preprocessing);
  }

  /** @returns the tensor that the model gives */
  private addModel(model: Model, inputs: readonly string[], path: readonly LayerName[]): string {
    const places = placesOf(model);
    const made = new Map<string, string>();
    let last = inputs[0] as string;
    let next = 0;
    for (const [i, layer] of model.layers.entries()) {
      const own = [...path, { name: layer.name, place: places[i] as string }];
      let from = [last];
      if (!model.sequential) {
        from = inboundOf(layer, this.options.format).map((name) => made.get(name) ?? this.missing(layer, name));
        if (layer.kind === 'InputLayer') from = [inputs[next++] ?? this.missing(layer, 'the input')];
      }
      last = this.addLayer(layer, from, own);
      made.set(layer.name, last);
    }
    if (model.sequential) return last;
    const [output] = model.outputs;
    if (output === undefined || model.outputs.length > 1) {
      throw new UnsupportedModelError(
        `${this.options.format}: ${model.outputs.length} outputs; networks that classify an image or give its features have one.`,
      );
    }
    return made.get(output) ?? this.missing(undefined, output);
  }

  private missing(layer: Layer | undefined, name: string): never {
    throw new ModelFormatError(`${this.options.format}: layer "${layer?.name ?? 'output'}" reads "${name}", which no earlier layer makes.`);
  }

  private addLayer(layer: Layer, inputs: readonly string[], path: readonly LayerName[]): string {
    const { kind, config } = layer;
    const { builder } = this;
    const [input] = inputs as [string];
    const id = `${path.map(({ name }) => name).join('/')} ${this.made++}`;
    const inner = layersOf(config) ? modelOf({ class_name: kind, config }, this.options.format) : undefined;
    if (inner) return this.addModel(inner, inputs, path);
    const operation = kind === 'TFOpLambda' ? FUNCTIONS[String(config['function'])] : ARITHMETIC[kind];
    if (operation) return this.addArithmetic(id, operation, layer, inputs);
    if (ALIASES.test(kind)) {
      builder.alias(id, input);
      return id;
    }
    switch (kind) {
      case 'Conv2D':
        return this.addConv(id, layer, input, path, false);
      case 'DepthwiseConv2D':
        return this.addConv(id, layer, input, path, true);
      case 'Dense':
        return this.addDense(id, layer, input, path);
      case 'BatchNormalization': {
        const names = ['gamma', 'beta', 'moving_mean', 'moving_variance'].filter(
          (name) => config[{ gamma: 'scale', beta: 'center' }[name] ?? ''] !== false,
        );
        const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) =>
          names.includes(name) ? this.variable(path, name, names.indexOf(name)).values : undefined,
        );
        const norm = {
          name: layer.name,
          gamma,
          beta,
          mean: mean as Float32Array,
          variance: variance as Float32Array,
          epsilon: Number(config['epsilon'] ?? 1e-3),
        };
        const { gain, offset } = batchNormAffine(norm);
        builder.channels(id, input, gain, offset);
        return id;
      }
      case 'ReLU': {
        const { max_value: most, negative_slope: slope = 0, threshold = 0 } = config as Record<string, number | null | undefined>;
        if (Number(slope ?? 0) !== 0 || Number(threshold ?? 0) !== 0) throw builder.unsupported(`the leaky ReLU "${layer.name}".`);
        builder.affine(id, input, { low: 0, high: most ?? undefined });
        return id;
      }
      case 'Activation':
        return this.activate(id, input, config['activation']);
      case 'Softmax':
        return this.activate(id, input, 'softmax');
      case 'HardSwish':
        return this.activate(id, input, 'hard_swish');
      case 'GlobalAveragePooling2D':
        builder.globalPool(id, input);
        return id;
      case 'AveragePooling2D': {
        const kernel = this.pair(layer, 'pool_size');
        builder.averagePool(id, input, {
          kernel,
          strides: config['strides'] ? this.pair(layer, 'strides') : kernel,
          padding: this.padding(layer),
        });
        return id;
      }
      case 'ZeroPadding2D': {
        const [[top, bottom], [left, right]] = sidesOf(config['padding'], layer.name, this.options.format);
        builder.pad(id, input, [top, bottom, left, right]);
        return id;
      }
      case 'Rescaling':
        return this.addRescaling(id, input, config);
      case 'Normalization':
        return this.addNormalization(id, layer, input, path);
      default:
        throw builder.unsupported(`layer "${layer.name}" is a ${kind}; the networks of the family have none.`);
    }
  }

  /** Of tensors, or of a tensor and a number in the layer's arguments. */
  private addArithmetic(id: string, operation: Operation, layer: Layer, inputs: readonly string[]): string {
    const { number } = layer;
    if (inputs.length === 1 && number !== undefined) {
      this.builder.constants.set(`${id} number`, { shape: [], values: Float32Array.of(number) });
      arithmetic(this.builder, id, operation, inputs[0], `${id} number`);
      return id;
    }
    let sum = inputs[0] as string;
    for (const [i, other] of inputs.slice(1).entries()) {
      const next = i === inputs.length - 2 ? id : `${id} of ${i + 2}`;
      arithmetic(this.builder, next, operation, sum, other);
      sum = next;
    }
    return sum;
  }

  private addRescaling(id: string, input: string, config: Layer['config']): string {
    const [scale, offset] = [config['scale'] ?? 1, config['offset'] ?? 0];
    const triple = (value: unknown) => Float32Array.from({ length: 3 }, (_, c) => Number(Array.isArray(value) ? value[c] : value));
    if (Array.isArray(scale) || Array.isArray(offset)) this.builder.channels(id, input, triple(scale), triple(offset));
    else this.builder.affine(id, input, { alpha: Number(scale), beta: Number(offset) });
    return id;
  }

  private addNormalization(id: string, layer: Layer, input: string, path: readonly LayerName[]): string {
    const given = (name: string) => layer.config[name];
    const channels = this.builder.shape(input)[2];
    const part = (name: string, position: number) => {
      const own = given(name);
      const values = own == null ? this.variable(path, name, position).values : [own].flat(4).map(Number);
      return Float32Array.from({ length: channels }, (_, c) => values[values.length === 1 ? 0 : c] as number);
    };
    const [mean, variance] = [part('mean', 0), part('variance', 1)];
    const gain = variance.map((v) => 1 / Math.max(Math.sqrt(v), 1e-7));
    this.builder.channels(
      id,
      input,
      gain,
      gain.map((g, c) => -g * (mean[c] as number)),
    );
    return id;
  }

  private variable(path: readonly LayerName[], name: string, position: number): Constant {
    const found = this.variables.find(path, name, position);
    if (!found) throw new ModelFormatError(`${this.options.format}: the file holds no "${name}" of layer "${path.at(-1)?.name}".`);
    return found;
  }

  private pair(layer: Layer, name: string): readonly [number, number] {
    const value = layer.config[name];
    const sides = Array.isArray(value) ? value.map(Number) : [Number(value), Number(value)];
    if (sides.length !== 2 || !sides.every((side) => Number.isInteger(side) && side > 0)) {
      throw new ModelFormatError(`${this.options.format}: layer "${layer.name}" has ${name} ${JSON.stringify(value)}.`);
    }
    return sides as unknown as readonly [number, number];
  }

  private padding({ config }: Layer): Padding {
    return config['padding'] === 'same' ? 'same' : 'valid';
  }

  private addConv(id: string, layer: Layer, input: string, path: readonly LayerName[], depthwise: boolean): string {
    const { config, name } = layer;
    const { builder } = this;
    if (config['data_format'] === 'channels_first') throw builder.unsupported(`layer "${name}" has channels first.`);
    if ([config['dilation_rate']].flat().some((rate) => Number(rate ?? 1) !== 1)) throw builder.unsupported(`layer "${name}" is dilated.`);
    if (depthwise && Number(config['depth_multiplier'] ?? 1) !== 1)
      throw builder.unsupported(`layer "${name}" has a depthwise multiplier above 1.`);
    const kernel = this.find(path, depthwise ? ['depthwise_kernel', 'kernel'] : ['kernel'], 0);
    const [height = 0, width = 0, inputs = 0, outputs = 0] = kernel.shape;
    const channels = depthwise ? inputs : outputs;
    const groups = depthwise ? channels : Number(config['groups'] ?? 1);
    const bias = config['use_bias'] === false ? new Float32Array(channels) : Float32Array.from(this.variable(path, 'bias', 1).values);
    const shape = {
      kernel: [height, width] as const,
      strides: this.pair(layer, 'strides'),
      padding: this.padding(layer),
      channels,
      groups,
    };
    const before = `${id} linear`;
    builder.conv(before, input, shape, { filter: Float32Array.from(kernel.values), bias });
    return this.activate(id, before, config['activation']);
  }

  private find(path: readonly LayerName[], names: readonly string[], position: number): Constant {
    const found = names.map((name) => this.variables.find(path, name, position)).find(Boolean);
    return found ?? this.variable(path, names[0] as string, position);
  }

  private addDense(id: string, { config }: Layer, input: string, path: readonly LayerName[]): string {
    const { shape, values } = this.variable(path, 'kernel', 0);
    const channels = shape[1] ?? 0;
    const bias = config['use_bias'] === false ? new Float32Array(channels) : Float32Array.from(this.variable(path, 'bias', 1).values);
    const before = `${id} linear`;
    this.builder.dense(before, input, Float32Array.from(values), bias);
    return this.activate(id, before, config['activation']);
  }

  private activate(id: string, input: string, activation: unknown): string {
    const { builder } = this;
    const name =
      typeof activation === 'object' && activation !== null
        ? String((activation as Record<string, unknown>)['class_name'])
        : String(activation ?? 'linear');
    const plain: Readonly<Record<string, Activation | Curve>> = {
      linear: 'none',
      relu: 'relu',
      relu6: 'relu6',
      hard_swish: 'hardSwish',
      hard_silu: 'hardSwish',
      swish: 'swish',
      silu: 'swish',
    };
    const own = plain[name];
    if (own) builder.activation(id, input, own);
    else if (name === 'hard_sigmoid') {
      const slope = Number.parseInt(this.options.version, 10) >= 3 ? 1 / 6 : 0.2;
      builder.affine(`${id} clamped`, input, { alpha: slope, beta: 0.5 });
      builder.affine(id, `${id} clamped`, { low: 0, high: 1 });
    } else if (name === 'softmax' || name === 'sigmoid') builder.end(id, input, name);
    else throw builder.unsupported(`the activation "${name}".`);
    return id;
  }
}
