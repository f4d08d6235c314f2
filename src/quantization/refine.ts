import { throwIfAborted } from '../abort.js';
import { type ConvNode, INPUT, INPUT_CHANNELS, imageInput, inferShapes, isDepthwise, type Node } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { FloatWeights, Network, Weights } from '../graph/network.js';
import type { Packable } from '../runtime/packed-network.js';
import { followed, roundForOutput } from './compensate.js';
import { Covariance, type InputMoments } from './covariance.js';
import { type StepCosts, stepCosts } from './eight-bits.js';
import { type Factors, factorsOf, inRows, rowFactors, takesFactors } from './factors.js';
import type { RoundedWeights } from './filters.js';
import { inLanes, safeLaneOf } from './integers.js';
import { bitsIn, chooseLanes } from './lanes.js';
import { meansOf, type Range, type Ranges } from './observe.js';
import { PieceRunner, type Values } from './piece.js';
import type { Probe } from './probe.js';
import type { Scheme } from './schemes.js';
import { snapped } from './snap.js';

/*
 * Rounds a network layer by layer, so that each layer makes up for what rounding those before it has done:
 *
 *   input -> [ piece ] -> tensor -> [ piece ] -> tensor ...       float, and rounded so far, side by side
 *
 * A piece ends where one narrow tensor holds all that the rest of the network reads: after a block. Both versions of
 * that tensor are kept for each image, so that only a piece is run again for each of its layers.
 */

export interface RefineOptions {
  /** Names of convolutions that stay in float32. */
  readonly keepFloat?: ReadonlySet<string>;
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
  ranges: Ranges,
  inputs: readonly Probe[],
  scheme: Scheme,
  options: RefineOptions = {},
): Promise<Map<string, RoundedWeights>> {
  const runners = [await PieceRunner.create(), await PieceRunner.create()] as const;
  try {
    return await new Refinement(network, ranges, inputs, scheme, runners, options).run();
  } finally {
    for (const runner of runners) runner.dispose();
  }
}

class Refinement {
  private readonly float: ReadonlyMap<string, FloatWeights>;
  private readonly result = new Map<string, RoundedWeights>();
  /** The tensor in front of the piece, image by image: float, and with the layers so far rounded. */
  private images: { readonly float: Values; readonly rounded: Values }[];
  /** What lanes leave of the latter, as far as it was asked for: all layers of a piece but the first ask for the same. */
  private snapped: { readonly lanes: Lanes; readonly data: Float32Array[] } | undefined;

  constructor(
    private readonly network: Network,
    private readonly ranges: Ranges,
    inputs: readonly Probe[],
    private readonly scheme: Scheme,
    private readonly runners: readonly [float: PieceRunner, rounded: PieceRunner],
    private readonly options: RefineOptions,
  ) {
    this.float = network.weights as ReadonlyMap<string, FloatWeights>;
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
      for (const node of convsOf(piece.nodes)) {
        if (!keepFloat.has(node.name)) this.round(piece, node);
        onLayer?.(++done, of);
        // Whoever waits for progress, or wants to abort, gets a turn.
        await new Promise((resolve) => setTimeout(resolve));
        throwIfAborted(signal);
      }
      if (done === of) break;
      this.images = [...this.pairs(piece, (piece.nodes.at(-1) as Node).name)];
      this.snapped = undefined;
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
    const floats = this.images.map((image) => image.float);
    const both = float.run({ graph: { nodes: makers }, weights: this.float, lanes: new Map() }, input, name, floats);
    const network = this.soFar(input, makers);
    const others = rounded.run(network, input, name, this.inputsIn(network.lanes.get(input) as Lanes));
    for (const values of both) yield { float: values, rounded: others.next().value as Values };
    others.return(undefined);
  }

  /** What of the tensor in front of the piece is left in its lanes, image by image. */
  private *inputsIn(lanes: Lanes): Generator<Values> {
    if (!this.snapped || !sameLanes(this.snapped.lanes, lanes)) this.snapped = { lanes, data: [] };
    const { data } = this.snapped;
    for (const [i, { rounded }] of this.images.entries()) {
      data[i] ??= snapped(rounded.data, lanes);
      yield { ...rounded, data: data[i] as Float32Array };
    }
  }

  /** The makers of a tensor as they will be in the int8 network; the tensor itself is left in real numbers. */
  private soFar(input: string, makers: readonly Node[]): Packable {
    const lanes = this.lanesOf([input, ...makers.map(({ name }) => name)]);
    lanes.delete((makers.at(-1) as Node).name);
    const weights = new Map<string, Weights>();
    for (const node of convsOf(makers)) {
      const [name] = node.inputs as [string];
      const rounded = this.result.get(node.name);
      if (!rounded) weights.set(node.name, this.float.get(node.name) as FloatWeights);
      else if (!lanes.has(node.name)) weights.set(node.name, inRealUnits(rounded));
      else weights.set(node.name, inLanes(node, rounded, lanes.get(name) as Lanes, meansOf(this.ranges.get(name) as Range)));
    }
    return { graph: { nodes: makers }, weights, lanes };
  }

  /** Lanes by what is rounded so far. */
  private lanesOf(names: readonly string[], factors?: readonly [tensor: string, Factors | undefined]): Map<string, Lanes> {
    const { network, ranges, scheme, result } = this;
    const rows = new Map(convsOf(network.graph.nodes).map(({ name, inputs }) => [inputs[0] as string, factorsOf(result.get(name))]));
    if (factors) rows.set(...factors);
    const safeLane = (node: ConvNode) => {
      const rounded = result.get(node.name);
      return rounded ? safeLaneOf(node, rounded) : Number.POSITIVE_INFINITY;
    };
    return chooseLanes(network.graph, ranges, safeLane, scheme, rows, names);
  }

  private round(piece: Piece, node: ConvNode): void {
    const [, runner] = this.runners;
    const [input] = node.inputs as [string];
    const weights = this.float.get(node.name) as FloatWeights;
    const costs = this.costsOf(input);
    const free = takesFactors(this.network.graph, node);
    const factorsBy = ({ covariance, drift, mean, meanDrift }: InputMoments, seen: number) =>
      rowFactors(followed(weights.filter, { covariance, drift, mean, meanDrift }, seen), covariance, node.inputChannels, costs);
    let factors: Factors | undefined;
    if (costs && free) {
      // Which factors are best, and with them the steps of the input, shows before it lies in those steps.
      const covariance = this.covarianceOf(piece, node);
      factors = factorsBy(covariance.moments(runner), covariance.seen);
    }
    const lanes = costs && this.lanesOf([input], [input, factors]).get(input);
    const covariance = this.covarianceOf(piece, node, lanes);
    const moments = (index: number) => covariance.moments(runner, index);
    if (!costs && free) factors = factorsBy(moments(0), covariance.seen);
    this.result.set(node.name, roundedLayer(weights, covariance, moments, factors));
  }

  /** @param lanes of the input, where it has 8 bits: they leave something to make up for */
  private covarianceOf(piece: Piece, node: ConvNode, lanes?: Lanes): Covariance {
    const perImage = Math.ceil((isDepthwise(node) ? DEPTHWISE_WINDOWS : WINDOWS) / this.images.length);
    const covariance = new Covariance(node, perImage, lanes);
    let image = 0;
    for (const { rounded, float } of this.pairs(piece, node.inputs[0] as string)) {
      covariance.add(this.runners[1], rounded, float, image++);
    }
    return covariance;
  }

  /** What 8 bits cost a tensor's channels; undefined where it has 16. */
  private costsOf(tensor: string): StepCosts | undefined {
    if (bitsIn(this.network.graph, this.scheme)(tensor) === 16) return undefined;
    return stepCosts(this.ranges.get(tensor) as Range, this.scheme);
  }
}

const sameLanes = (a: Lanes, b: Lanes) => a.low === b.low && a.high === b.high && sameScale(a.scale, b.scale);
const sameScale = (a: Lanes['scale'], b: Lanes['scale']) =>
  typeof a === 'number' || typeof b === 'number' ? a === b : a.every((step, c) => step === b[c]);

const convsOf = (nodes: readonly Node[]) => nodes.filter((node): node is ConvNode => node.kind === 'conv');

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
  factors: Factors | undefined,
): RoundedWeights {
  const channels = bias.length;
  const result = { filter: new Int8Array(filter.length), scale: new Float32Array(channels), bias: new Float32Array(channels) };
  const own = channels / count;
  const rows = factors?.rows;
  for (let index = 0; index < count; index++) {
    const moments = momentsOf(index);
    const float = count === 1 ? filter : Float32Array.from({ length: size }, (_, i) => filter[i * channels + index] as number);
    const aim = followed(float, moments, seen);
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
