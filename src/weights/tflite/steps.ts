import { UnsupportedModelError } from '../../errors.js';
import { isDepthwise, type Node } from '../../graph/graph.js';
import type { Lanes } from '../../graph/lanes.js';
import type { Network } from '../../graph/network.js';

/** Of the reach of lanes, which calibration saw less than half of, what one scale for all channels needs: small ones want its bits. */
const REACH = 1 / 2;

/** What one step of each tensor of a 16x8 file is, where lanes may have a scale a channel. */
export class Steps {
  constructor(private readonly network: Network) {}

  /** The lanes of a tensor; only those of 16 bits have a form here. */
  lanesOf(name: string): Lanes {
    const lanes = this.network.lanes.get(name);
    if (!lanes) throw new UnsupportedModelError(`tflite: "${name}" is float32; only networks that are quantized throughout are written.`);
    if (lanes.high - lanes.low <= 255) {
      throw new UnsupportedModelError(
        `tflite: "${name}" has 8 bits and may have a scale a channel, which TensorFlow Lite has not; quantize with activations of 16 bits.`,
      );
    }
    return lanes;
  }

  /** What the one scale of a tensor is: its own, one for the largest of its channels, or the unit where its filter brings it there. */
  of(name: string): number {
    const { scale } = this.lanesOf(name);
    if (typeof scale === 'number') return scale;
    const maker = this.makerOf(name);
    const unit = maker && isScalable(maker) ? this.unitOf(name) : undefined;
    return unit ?? scale.reduce((a, b) => Math.max(a, b)) * (this.isBounded(maker) ? 1 : REACH);
  }

  private makerOf = (name: string): Node | undefined => this.network.graph.nodes.find((node) => node.name === name);

  /** Whether the reach of a tensor's lanes is where its activation ends, or that of what it gates. */
  private isBounded(maker: Node | undefined): boolean {
    if (maker?.kind === 'multiply') return this.isBounded(this.makerOf(maker.inputs[0] as string));
    return maker !== undefined && 'activation' in maker && /^(relu6|hardSigmoid)$/.test(maker.activation);
  }

  /** The unit of a tensor's channels, where a filter took their scales in. A gated tensor has the scales too, but not that reader. */
  unitOf(name: string): number | undefined {
    const isRead = this.network.graph.nodes.some((node) => node.kind === 'conv' && node.inputs[0] === name && !isDepthwise(node));
    return isRead ? this.lanesOf(name).unit : undefined;
  }
}

/** A scale of its output's channels is a scale of its filter's. */
export const isScalable = (node: Node): boolean =>
  node.kind === 'conv' && /^(none|relu)$/.test(node.activation) && node.inputs.length === 1;
