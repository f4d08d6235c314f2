import { throwIfAborted } from '../abort.js';
import {
  type ConvNode,
  countReaders,
  INPUT,
  INPUT_CHANNELS,
  imageInput,
  inferShapes,
  isDepthwise,
  type Node,
  outputNames,
} from '../graph/graph.js';
import type { FloatWeights, Network } from '../graph/network.js';
import { type Factors, followed, inRows, roundForOutput, rowFactors } from './compensate.js';
import { Covariance, type InputMoments } from './covariance.js';
import type { StepCosts } from './eight-bits.js';
import type { RoundedFilter } from './filters.js';
import { PieceRunner, type Values } from './piece.js';
import type { Probe } from './probe.js';

/*
 * Rounds a network layer by layer, so that each layer makes up for what rounding those before it has done:
 *
 *   input -> [ piece ] -> tensor -> [ piece ] -> tensor ...       float, and rounded so far, side by side
 *
 * A piece ends where one narrow tensor holds all that the rest of the network reads: after a block. Both versions of
 * that tensor are kept for each image, so that only a piece is run again for each of its layers.
 */

/** A layer in integers, but for its bias, whose unit depends on lanes that are not chosen yet. */
export interface RoundedWeights extends RoundedFilter {
  readonly bias: Float32Array;
  /** Factors of the input channels that the filter was multiplied by, where the tensor's scales make up for them. */
  readonly rows?: Float32Array;
  /** Where that tensor has 8 bits: the step of a channel is its factor times this. */
  readonly unit?: number;
}

export interface RefineOptions {
  /** Names of convolutions that stay in float32. */
  readonly keepFloat?: ReadonlySet<string>;
  /** For activations of 8 bits: what they cost a tensor's channels; undefined where it has 16. */
  readonly costsOf?: (tensor: string) => StepCosts | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onLayer?: (done: number, of: number) => void;
}

/** Windows that a layer's covariance is made of; a depthwise one's matrices are small. */
const WINDOWS = 6400;
const DEPTHWISE_WINDOWS = 800;

interface Piece {
  readonly input: string;
  readonly nodes: readonly Node[];
}

/** Pieces of a network, none of whose inputs is larger than the image. */
export function pieces({ graph }: Network): Piece[] {
  const shapes = inferShapes(graph.nodes, imageInput(graph.resolution, graph.resolution));
  const size = (name: string) => (shapes.get(name) ?? []).reduce((product, side) => product * side, 1);
  const lastReader = new Map<string, number>();
  graph.nodes.forEach(({ inputs }, i) => {
    for (const name of inputs) lastReader.set(name, i);
  });
  const result: Piece[] = [];
  let [first, input] = [0, INPUT];
  graph.nodes.forEach((_, i) => {
    const live = [INPUT, ...graph.nodes.slice(0, i + 1).map(({ name }) => name)].filter((name) => (lastReader.get(name) ?? -1) > i);
    const [only] = live;
    const ends = i === graph.nodes.length - 1 || (live.length === 1 && size(only as string) <= size(INPUT));
    if (!ends) return;
    const nodes = graph.nodes.slice(first, i + 1);
    if (!nodes.some(({ kind }) => kind === 'conv')) return;
    result.push({ input, nodes });
    [first, input] = [i + 1, only as string];
  });
  return result;
}

/** The nodes of a piece that `name` is made by, in order. */
function makersOf(name: string, nodes: readonly Node[]): Node[] {
  const wanted = new Set([name]);
  for (const node of [...nodes].reverse()) if (wanted.has(node.name)) for (const input of node.inputs) wanted.add(input);
  return nodes.filter((node) => wanted.has(node.name));
}

/** @returns every convolution but those that are kept in float32 */
export async function roundedWeights(
  network: Network,
  inputs: readonly Probe[],
  options: RefineOptions = {},
): Promise<Map<string, RoundedWeights>> {
  const runners = [await PieceRunner.create(), await PieceRunner.create()] as const;
  try {
    return await new Refinement(network, inputs, runners, options).run();
  } finally {
    for (const runner of runners) runner.dispose();
  }
}

class Refinement {
  private readonly float: ReadonlyMap<string, FloatWeights>;
  /** Rounded so far, in real units. */
  private readonly current: Map<string, FloatWeights>;
  private readonly result = new Map<string, RoundedWeights>();
  /** The tensor in front of the piece, image by image: float, and with the layers so far rounded. */
  private images: { readonly float: Values; readonly rounded: Values }[];

  constructor(
    private readonly network: Network,
    inputs: readonly Probe[],
    private readonly runners: readonly [float: PieceRunner, rounded: PieceRunner],
    private readonly options: RefineOptions,
  ) {
    this.float = network.weights as ReadonlyMap<string, FloatWeights>;
    this.current = new Map(this.float);
    this.images = inputs.map(({ data, height, width }) => {
      const values = { shape: [height, width, INPUT_CHANNELS] as const, data };
      return { float: values, rounded: values };
    });
  }

  async run(): Promise<Map<string, RoundedWeights>> {
    const { keepFloat = new Set(), signal, onLayer } = this.options;
    const of = this.float.size;
    let done = 0;
    for (const piece of pieces(this.network)) {
      for (const node of piece.nodes) {
        if (node.kind !== 'conv') continue;
        if (!keepFloat.has(node.name)) this.round(piece, node);
        onLayer?.(++done, of);
        // Whoever waits for progress, or wants to abort, gets a turn.
        await new Promise((resolve) => setTimeout(resolve));
        throwIfAborted(signal);
      }
      if (done < of) this.images = [...this.pairs(piece, (piece.nodes.at(-1) as Node).name)];
    }
    return this.result;
  }

  /** A tensor of a piece, image by image, in float and as rounded so far. */
  private *pairs({ input, nodes }: Piece, name: string): Generator<{ float: Values; rounded: Values }> {
    if (name === input) {
      yield* this.images;
      return;
    }
    const makers = makersOf(name, nodes);
    const [float, rounded] = this.runners;
    const both = float.run(
      makers,
      this.float,
      input,
      name,
      this.images.map((image) => image.float),
    );
    const others = rounded.run(
      makers,
      this.current,
      input,
      name,
      this.images.map((image) => image.rounded),
    );
    for (const values of both) yield { float: values, rounded: others.next().value as Values };
    others.return(undefined);
  }

  private round(piece: Piece, node: ConvNode): void {
    const [, runner] = this.runners;
    const perImage = Math.ceil((isDepthwise(node) ? DEPTHWISE_WINDOWS : WINDOWS) / this.images.length);
    const covariance = new Covariance(node, perImage);
    let image = 0;
    for (const { rounded, float } of this.pairs(piece, node.inputs[0] as string)) covariance.add(runner, rounded, float, image++);
    const weights = this.float.get(node.name) as FloatWeights;
    const rounded = roundedLayer(weights, covariance, (index) => covariance.moments(runner, index), this.factorsFor(node));
    this.result.set(node.name, rounded);
    this.current.set(node.name, inRealUnits(rounded));
  }

  /**
   * Where a convolution can take in its input's scales: it reads them alone, and nothing else keeps them from being any. A ReLU6 does:
   * its 6 is one lane for all channels.
   */
  private factorsFor({ inputs, groups, inputChannels }: ConvNode): FactorsOf {
    const { nodes, outputs } = this.network.graph;
    const [input] = inputs as [string];
    const maker = nodes.find(({ name }) => name === input);
    const free =
      maker?.kind === 'multiply' ||
      maker?.kind === 'globalAveragePool' ||
      (maker?.kind === 'conv' && maker.inputs.length === 1 && maker.activation !== 'relu6');
    if (groups > 1 || !free || countReaders(nodes).get(input) !== 1 || outputNames(outputs).includes(input)) return () => undefined;
    const costs = this.options.costsOf?.(input);
    return (filter, covariance) => rowFactors(filter, covariance, inputChannels, costs);
  }
}

type FactorsOf = (filter: Float64Array, covariance: Float64Array) => Factors | undefined;

function inRealUnits({ filter, scale, bias, rows }: RoundedWeights): FloatWeights {
  const channels = scale.length;
  const factor = (row: number) => (rows ? (rows[row % rows.length] as number) : 1);
  return { filter: Float32Array.from(filter, (q, i) => (q * (scale[i % channels] as number)) / factor(Math.floor(i / channels))), bias };
}

/** Filter by filter: one, or a depthwise convolution's, which have a channel each. */
function roundedLayer(
  { filter, bias }: FloatWeights,
  { size, count, seen, inputChannels }: Covariance,
  momentsOf: (index: number) => InputMoments,
  factorsOf: FactorsOf,
): RoundedWeights {
  const channels = bias.length;
  const result = { filter: new Int8Array(filter.length), scale: new Float32Array(channels), bias: new Float32Array(channels) };
  const own = channels / count;
  let factors: Factors | undefined;
  for (let index = 0; index < count; index++) {
    const moments = momentsOf(index);
    const float = count === 1 ? filter : Float32Array.from({ length: size }, (_, i) => filter[i * channels + index] as number);
    const aim = followed(float, moments, seen);
    factors = factorsOf(aim, moments.covariance);
    const rows = factors?.rows;
    const rounded = roundForOutput(...(rows ? inRows(aim, moments.covariance, rows) : ([aim, moments.covariance] as const)));
    const first = index * own;
    result.scale.set(rounded.scale, first);
    for (let c = 0; c < own; c++) {
      // The mean of the output stays what it was.
      let shift = 0;
      for (let i = 0; i < size; i++) {
        const [q, w] = [rounded.filter[i * own + c] as number, float[i * own + c] as number];
        result.filter[i * channels + first + c] = q;
        const mean = moments.mean[i] as number;
        shift +=
          w * (mean + (moments.meanDrift[i] as number)) - ((q * (rounded.scale[c] as number)) / (rows?.[i % inputChannels] ?? 1)) * mean;
      }
      result.bias[first + c] = (bias[first + c] as number) + shift;
    }
  }
  return { ...result, ...factors };
}
