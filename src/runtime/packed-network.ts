import type { Arithmetic, PackedConv } from '../compute/arithmetic.js';
import { isPointwise, padChannels } from '../compute/convolution.js';
import type { Arithmetics } from '../compute/ways.js';
import type { Engine } from '../engine/engine.js';
import { QuantizationError, UnsupportedModelError } from '../errors.js';
import { type ConvNode, INPUT, type Node } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import { isQuantized, type Network } from '../graph/network.js';

/** What of a network packing needs. */
export type Packable = Pick<Network, 'lanes' | 'weights'> & { readonly graph: Pick<Network['graph'], 'nodes'> };

/** Weights packed into an engine's memory, once; every plan refers to them. */
export class PackedNetwork {
  private readonly convs = new Map<string, PackedConv>();

  constructor(
    readonly engine: Engine,
    readonly network: Packable,
    readonly arithmetics: Arithmetics,
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
    if (!weights) throw new UnsupportedModelError(`${node.name}: the model has no weights for this layer.`);
    const source = { channels: fromImage ? node.inputChannels : padChannels(node.inputChannels), onePixel };
    return this.arithmeticOf(node).packConv(this.engine, node, weights, source, (name) => this.lanes(name));
  }

  lanes(name: string): Lanes {
    const lanes = this.network.lanes.get(name);
    if (!lanes) throw new QuantizationError(`tensor "${name}" is read or written by a quantized layer but has no scale.`);
    return lanes;
  }

  /** A convolution works on lanes if its weights are quantized, another node if all its tensors have lanes. */
  arithmeticOf(node: Node): Arithmetic {
    const { weights, lanes } = this.network;
    const own = weights.get(node.name);
    const onLanes =
      node.kind === 'conv' ? own !== undefined && isQuantized(own) : [node.name, ...node.inputs].every((name) => lanes.has(name));
    return onLanes ? this.arithmetics.lanes : this.arithmetics.real;
  }

  /** The lanes of a tensor in an arithmetic; undefined where it works on real numbers. */
  lanesIn(arithmetic: Arithmetic, name: string): Lanes | undefined {
    return arithmetic === this.arithmetics.lanes ? this.lanes(name) : undefined;
  }
}
