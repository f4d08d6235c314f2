import { fuse } from '../../graph/fusion.js';
import { type Graph, imageInput, inferShapes, isDepthwise, outputNames, type Shape } from '../../graph/graph.js';
import { IMAGENET_PREPROCESSING } from '../../graph/network.js';
import { multiplyAdds } from '../../graph/summary.js';

/** What decides how long a layer takes. */
export interface LayerShape {
  /** Layers of one kind have one kernel: `pointwise hardSwish`, `depthwise 5x5 stride 2 relu`, `squeeze`. */
  readonly kind: string;
  /** Of the output; of the input for a pool. */
  readonly pixels: number;
  readonly inputChannels: number;
  readonly channels: number;
  /** Multiply-adds, or values that are read where there are none. */
  readonly work: number;
  /**
   * Of a fully connected layer: multiply-adds of its network. It reads each weight once, so its pace is that of the memory where
   * its weights lie; the more a run computes, the more it pushes them out of the caches until the next run.
   */
  readonly network?: number;
}

export interface NamedLayer extends LayerShape {
  readonly name: string;
}

const area = ([height, width]: Shape): number => height * width;

/** The layers that are run of a graph: residuals and activations are in their convolutions. */
export function layersOf(graph: Graph, side = graph.resolution): NamedLayer[] {
  const { nodes } = fuse({ graph, weights: new Map(), lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING }).graph;
  const shapes = inferShapes(nodes, imageInput(side, side));
  const last = new Set(outputNames(graph.outputs));
  const network = nodes.reduce((sum, node) => sum + (node.kind === 'conv' ? multiplyAdds(node, shapes.get(node.name) as Shape) : 0), 0);
  return nodes.map((node): NamedLayer => {
    const output = shapes.get(node.name) as Shape;
    const input = shapes.get(node.inputs[0] as string) as Shape;
    const { name, kind } = node;
    const channels = output[2];
    if (node.kind !== 'conv') {
      const [pixels, what] = [area(input), node.kind === 'activation' ? node.activation : kind];
      return { name, kind: last.has(name) ? `${what}, last` : what, pixels, inputChannels: channels, channels, work: pixels * channels };
    }
    const [size, stride] = [node.kernel.join('x'), node.strides[0]];
    const end = node.inputs.length > 1 ? 'residual' : node.activation === 'hardSwish' ? 'hardSwish' : 'clamp';
    const depthwise = isDepthwise(node);
    const connected = !depthwise && node.kernel[0] === 1 && area(output) === 1;
    const dense = node.kernel[0] > 1 ? `convolution ${size}` : connected ? 'fully connected' : 'pointwise';
    return {
      name,
      kind: `${depthwise ? `depthwise ${size}` : dense}${stride > 1 ? ` stride ${stride}` : ''} ${end}`,
      pixels: area(output),
      inputChannels: depthwise ? channels : node.inputChannels,
      channels,
      work: multiplyAdds(node, output),
      ...(connected ? { network } : {}),
    };
  });
}
