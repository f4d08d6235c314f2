import { buildGraph } from '../../architecture/build.js';
import type { ArchitectureName } from '../../architecture/tables.js';
import { InputError } from '../../errors.js';
import type { Graph } from '../../graph/graph.js';
import { type LayerShape, layersOf } from './layers.js';

/** A layer's shape and how long it took in the networks that have it. */
export interface LayerLatency extends LayerShape {
  readonly milliseconds: number;
}

/** One inverted residual, or the stem, the head or a layer behind the pool. */
export interface BlockLatency {
  /** Of the first network that has it. */
  readonly network: string;
  readonly block: string;
  readonly input: readonly number[];
  readonly output: readonly number[];
  readonly kernel: number;
  readonly stride: number;
  readonly expand?: number;
  readonly squeezeExcite: boolean;
  readonly activation: string;
  readonly milliseconds: number;
}

/** What `mobilenet-v3 bench --table` writes: NetAdapt's table (arXiv 1804.03230) of one machine. */
export interface LatencyTable {
  readonly version: 1;
  readonly date: string;
  readonly machine: string;
  /**
   * From the sum of a network's layers to its run: factor * sum + perLayer * layers. The clock is read around each layer, which
   * takes its time too; perLayer, in milliseconds, takes that away again.
   */
  readonly whole: { readonly factor: number; readonly perLayer: number };
  readonly layers: readonly LayerLatency[];
  readonly blocks: readonly BlockLatency[];
}

export interface Estimate {
  readonly milliseconds: number;
  readonly layers: readonly { readonly name: string; readonly milliseconds: number }[];
}

/** Measured layers that an estimate goes by. */
const NEIGHBOURS = 4;
/** Of a distance, in factors of e: nearer than this is the same shape. */
const SAME = 0.02;

/** How far two shapes are from each other: the logarithms of their sizes. */
function distance(a: LayerShape, b: LayerShape): number {
  const ratio = (x: number, y: number) => Math.log(x / y) ** 2;
  // Channels decide how well a tile is filled; pixels only how often, and the network where the weights are.
  const around = ratio(a.pixels, b.pixels) + ratio(a.network ?? 1, b.network ?? 1);
  return Math.sqrt(0.25 * around + ratio(a.inputChannels, b.inputChannels) + ratio(a.channels, b.channels));
}

/** Milliseconds of a layer: its work at the pace of the nearest shapes of its kind, nearer ones counting more. */
export function estimateLayer(shape: LayerShape, layers: readonly LayerLatency[]): number {
  const near = layers
    .filter(({ kind }) => kind === shape.kind)
    .map((layer) => ({ layer, away: distance(shape, layer) }))
    .sort((a, b) => a.away - b.away)
    .slice(0, NEIGHBOURS);
  if (near.length === 0) {
    const known = [...new Set(layers.map(({ kind }) => kind))].sort().join(', ');
    throw new InputError(`the table has no layer of kind "${shape.kind}"; it has ${known}. Make it anew with bench --table.`);
  }
  let [sum, weights] = [0, 0];
  for (const { layer, away } of near) {
    const weight = 1 / (away + SAME) ** 2;
    sum += weight * Math.log(layer.milliseconds / layer.work);
    weights += weight;
  }
  return Math.exp(sum / weights) * shape.work;
}

/** The same of any graph. */
export function estimateGraph(graph: Graph, table: LatencyTable): Estimate {
  const { factor, perLayer } = table.whole;
  const layers = layersOf(graph).map((layer) => ({
    name: layer.name,
    milliseconds: Math.max(0, factor * estimateLayer(layer, table.layers) + perLayer),
  }));
  return { milliseconds: layers.reduce((sum, { milliseconds }) => sum + milliseconds, 0), layers };
}

/**
 * How long a network will take on the machine of a table, before it exists: the sum over its layers, as NetAdapt estimates it.
 *
 * @param table what `mobilenet-v3 bench --table FILE` wrote, parsed
 * @param options width multiplier, resolution in pixels, classes
 * @returns milliseconds of an inference in float32 on one thread, in all and layer by layer
 * @throws InputError for what is no such table, and where it lacks a kind of layer; ShapeError for numbers out of range
 * @example
 * const table = await (await fetch('/blocks.json')).json(); // bench --table blocks.json
 * const { milliseconds } = estimate('mobilenet_v3_large', table, { width: 0.6, resolution: 192 });
 */
export function estimate(
  architecture: ArchitectureName,
  table: LatencyTable,
  options: { width?: number; resolution?: number; classes?: number } = {},
): Estimate {
  if (table?.version !== 1 || !Array.isArray(table.layers) || !(table.whole?.factor > 0))
    throw new InputError('estimate() needs what `bench --table FILE` wrote, parsed; got something else.');
  return estimateGraph(buildGraph(architecture, options), table);
}
