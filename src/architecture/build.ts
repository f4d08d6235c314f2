import { ShapeError } from '../errors.js';
import {
  type Activation,
  type ConvNode,
  type Curve,
  type Graph,
  INPUT,
  INPUT_CHANNELS,
  isCurve,
  type Node,
  type Padding,
} from '../graph/graph.js';
import { ARCHITECTURE_NAMES, ARCHITECTURES, type ArchitectureName, type ArchitectureTable } from './tables.js';

/** The nearest multiple of 8 that is not more than 10 % below: the rounding of all MobileNet papers' code. */
export function roundChannels(channels: number): number {
  const rounded = Math.max(8, Math.floor((channels + 4) / 8) * 8);
  return rounded < 0.9 * channels ? rounded + 8 : rounded;
}

export interface BuildOptions {
  readonly width?: number;
  readonly resolution?: number;
  readonly classes?: number;
  /** Channels that a checkpoint has otherwise than the width multiplier would give (timm keeps stem and head). */
  readonly stemChannels?: number;
  readonly headChannels?: number;
  readonly featureChannels?: number;
  /** How expanded channels follow the width: torchvision scales each, TensorFlow, Keras and timm multiply the block's own input. */
  readonly expansion?: 'channels' | 'factor';
  /** 'symmetric' is PyTorch's, 'same' TensorFlow's. */
  readonly padding?: 'symmetric' | 'same';
}

/** The tables as a table: what each block's channels are at a width. Shared by the builder and by whoever names tensors. */
export function blockChannels(table: ArchitectureTable, width: number, stem: number, expansion: 'channels' | 'factor' = 'channels') {
  let input = stem;
  return table.blocks.map((block, i) => {
    const standard = table.blocks[i - 1]?.out ?? table.stem.out;
    const scaled = expansion === 'factor' ? (block.expand / standard) * input : block.expand * width;
    const expand = table.expansion === 'factor' ? input * block.expand : roundChannels(scaled);
    const channels = { input, expand, out: roundChannels(block.out * width) };
    input = channels.out;
    return channels;
  });
}

/** Builds a network's graph from its table. Names of nodes are this package's own; src/weights/names.ts maps them. */
export function buildGraph(architecture: ArchitectureName, options: BuildOptions = {}): Graph {
  const table: ArchitectureTable | undefined = Object.hasOwn(ARCHITECTURES, architecture) ? ARCHITECTURES[architecture] : undefined;
  if (!table) throw new ShapeError(`architecture must be one of ${ARCHITECTURE_NAMES.join(', ')}; got "${architecture}".`);
  return buildTable(architecture, table, options);
}

/** The same of a table that is not among the package's own. */
export function buildTable(architecture: string, table: ArchitectureTable, options: BuildOptions = {}): Graph {
  const { width = 1, resolution = 224, classes = 1000, padding = 'symmetric' } = options;
  if (!(width >= 0.1 && width <= 4)) throw new ShapeError(`width must be a number from 0.1 to 4; got ${width}.`);
  if (!Number.isInteger(classes) || classes < 1 || classes > 1e6)
    throw new ShapeError(`classes must be a whole number from 1 to 1,000,000; got ${classes}.`);
  if (!Number.isInteger(resolution) || resolution < 32 || resolution > 512) {
    throw new ShapeError(`resolution must be a whole number from 32 to 512; got ${resolution}.`);
  }
  const nodes: Node[] = [];
  const push = (node: Node): string => {
    nodes.push(node);
    return node.name;
  };
  const conv = (
    name: string,
    input: string,
    inputChannels: number,
    channels: number,
    activation: Activation | Curve,
    rest: Partial<ConvNode> & { size?: number; stride?: number } = {},
  ): string => {
    const { size = 1, stride = 1, ...more } = rest;
    const margin = size >> 1;
    const symmetric: Padding = [margin, margin, margin, margin];
    const made = push({
      kind: 'conv',
      name,
      inputs: [input],
      kernel: [size, size],
      strides: [stride, stride],
      padding: size === 1 ? 'valid' : padding === 'same' ? 'same' : symmetric,
      inputChannels,
      channels,
      groups: 1,
      activation: isCurve(activation) ? 'none' : activation,
      batchNorm: true,
      ...more,
    });
    return isCurve(activation) ? push({ kind: 'activation', name: `${name}.${activation}`, inputs: [made], activation }) : made;
  };

  const stem = options.stemChannels ?? roundChannels(table.stem.out * width);
  let tensor = conv('stem', INPUT, INPUT_CHANNELS, stem, table.stem.activation, { size: 3, stride: 2 });
  const channels = blockChannels(table, width, stem, options.expansion);
  table.blocks.forEach(({ kernel, se, activation, stride }, i) => {
    const { input, expand, out } = channels[i] as (typeof channels)[number];
    const name = `blocks.${i}`;
    const blockInput = tensor;
    if (expand !== input) tensor = conv(`${name}.expand`, tensor, input, expand, activation);
    tensor = conv(`${name}.depthwise`, tensor, expand, expand, activation, { size: kernel, stride, groups: expand });
    if (se) {
      const squeezed = table.squeeze.of === 'input' ? Math.max(1, Math.round(input / 4)) : roundChannels(expand / 4);
      let gate = push({ kind: 'globalAveragePool', name: `${name}.squeeze`, inputs: [tensor] });
      gate = conv(`${name}.reduce`, gate, expand, squeezed, 'relu', { batchNorm: false });
      gate = conv(`${name}.excite`, gate, squeezed, expand, table.squeeze.gate, { batchNorm: false });
      tensor = push({ kind: 'multiply', name: `${name}.gate`, inputs: [tensor, gate] });
    }
    tensor = conv(`${name}.project`, tensor, expand, out, 'none');
    if (stride === 1 && input === out) {
      tensor = push({ kind: 'add', name: `${name}.add`, inputs: [tensor, blockInput], activation: 'none' });
    }
  });
  const last = channels.at(-1)?.out ?? stem;
  // V3's head is six times the last block; V2's grows with the width but never shrinks; MnasNet's stays as it is.
  const scaledHead = table.features ? 6 * last : table.head.fixed ? table.head.out : roundChannels(table.head.out * Math.max(1, width));
  const head = options.headChannels ?? scaledHead;
  tensor = conv('head', tensor, last, head, table.head.activation);
  let embedding = push({ kind: 'globalAveragePool', name: 'pool', inputs: [tensor] });
  let features = head;
  if (table.features) {
    features = options.featureChannels ?? roundChannels(table.features.out * width);
    embedding = conv('features', embedding, head, features, table.features.activation, { batchNorm: false });
  }
  const logits = conv('classifier', embedding, features, classes, 'none', { batchNorm: false });
  return { architecture, width, resolution, classes, nodes, outputs: { logits, embedding: 'pool' } };
}
