import { buildGraph } from '../architecture/build.js';
import { ARCHITECTURES, type ArchitectureName } from '../architecture/tables.js';
import { UnsupportedModelError } from '../errors.js';
import type { ConvNode, Graph } from '../graph/graph.js';
import { isQuantized, type Network } from '../graph/network.js';
import { toChannelsFirst } from './layout.js';
import { batchNormEpsilon, type Convention, expandsFrom, tensorNames } from './names.js';
import { writeSafetensors } from './safetensors.js';
import type { RawTensor } from './tensors.js';

// The way back to Python: float networks under a training framework's names and layouts. Batch norms were folded when the
// network was read; they come back as ones that change nothing but add the bias.

const convsOf = (graph: Pick<Graph, 'nodes'>) => graph.nodes.filter((node): node is ConvNode => node.kind === 'conv');
const geometry = ({ name, kernel, strides, padding, channels, groups }: ConvNode) =>
  [name, kernel, strides, padding, channels, groups].join();

/** @throws UnsupportedModelError for an int8 network, and for one whose layers are not those of torchvision's or timm's module */
export function writeCheckpoint({ graph, weights, labels, preprocessing }: Network, convention: Convention): Uint8Array {
  const architecture = graph.architecture as ArchitectureName;
  const convs = convsOf(graph);
  const channelsOf = (name: string) => convs.find((node) => node.name === name)?.channels ?? 0;
  if (!(architecture in ARCHITECTURES)) throw new UnsupportedModelError(`${convention} has no network like this one (${architecture}).`);
  const features = ARCHITECTURES[architecture].features ? { featureChannels: channelsOf('features') } : {};
  const sizes = { width: graph.width, classes: graph.classes, stemChannels: channelsOf('stem'), headChannels: channelsOf('head') };
  const standard = buildGraph(architecture, { ...sizes, ...features });
  const wanted = convsOf(standard).map(geometry);
  const other = convs.find((node, i) => geometry(node) !== wanted[i]);
  if (other || convs.length !== wanted.length) {
    throw new UnsupportedModelError(
      `${convention}'s ${architecture} pads or connects otherwise than this network, first at "${other?.name ?? 'its end'}": its weights would give other answers there.`,
    );
  }
  const tensors = new Map<string, RawTensor>();
  const set = (name: string, shape: readonly number[], values: Float32Array) =>
    tensors.set(name, { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
  for (const node of convs) {
    const own = weights.get(node.name);
    if (!own || isQuantized(own)) {
      throw new UnsupportedModelError(`int8 weights have no ${convention} names; load the file with precision: 'float32' to export it.`);
    }
    const { channels, kernel } = node;
    const names = tensorNames(convention, architecture, node, expandsFrom(standard));
    const filter = toChannelsFirst(own.filter, kernel, channels);
    const inputs = node.inputChannels / node.groups;
    // What follows the pool is a matrix there, but for timm's convolution of one pixel.
    const matrix = node.name === 'classifier' || (node.name === 'features' && convention === 'torchvision');
    set(names.filter, matrix ? [channels, inputs] : [channels, inputs, ...kernel], filter);
    if (names.bias) set(names.bias, [channels], own.bias);
    if (!names.batchNorm) continue;
    const epsilon = batchNormEpsilon(convention, architecture);
    set(`${names.batchNorm}.weight`, [channels], new Float32Array(channels).fill(1));
    set(`${names.batchNorm}.bias`, [channels], own.bias);
    set(`${names.batchNorm}.running_mean`, [channels], new Float32Array(channels));
    set(`${names.batchNorm}.running_var`, [channels], new Float32Array(channels).fill(1 - epsilon));
  }
  const metadata = { format: 'pt', preprocessing: JSON.stringify(preprocessing), ...(labels ? { labels: JSON.stringify(labels) } : {}) };
  return writeSafetensors({ tensors, metadata });
}
