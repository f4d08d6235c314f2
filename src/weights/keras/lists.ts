import { buildGraph } from '../../architecture/build.js';
import { ARCHITECTURE_NAMES, ARCHITECTURES, type ArchitectureName } from '../../architecture/tables.js';
import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import { type ConvNode, isDepthwise } from '../../graph/graph.js';
import type { FloatWeights, Network } from '../../graph/network.js';
import { foldBatchNorm } from '../fold.js';
import type { Dataset } from '../hdf5/file.js';
import { SLIM_PREPROCESSING } from '../metadata.js';
import { firstNotFinite } from '../tensors.js';
import { WIDTHS } from '../widths.js';

/*
 * Keras' weights, keras.applications.MobileNetV3Small and -Large and what was trained from them. Names differ from release to
 * release (Conv/kernel:0, layers/conv2d_3/vars/0); the order of layers does not. So convolutions, depthwise convolutions and
 * batch norms are three lists, each in the order in which the network has them.
 */

/** What keras.applications builds its MobileNetV3 with. */
const EPSILON = 1e-3;

/** Of weights alone only this package's tables can tell the network. */
const WHOLE = "the file holds weights alone: save the whole network with model.save('model.keras').";

export interface KerasLayer {
  readonly name: string;
  /** In the order in which the layer has them. */
  readonly variables: readonly { readonly path: string; readonly dataset: Dataset }[];
}

interface Variable {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

interface Lists {
  readonly convs: { readonly kernel: Variable; readonly bias?: Variable }[];
  readonly depthwise: Variable[];
  /** gamma, beta, mean, variance */
  readonly norms: readonly (readonly [Variable, Variable, Variable, Variable])[];
}

/** Sorts layers into the three lists by the ranks of their variables. */
function listsOf(layers: readonly KerasLayer[]): Lists {
  const lists = { convs: [] as Lists['convs'], depthwise: [] as Variable[], norms: [] as [Variable, Variable, Variable, Variable][] };
  for (const { name, variables: stored } of layers) {
    const variables = stored.map(({ dataset }): Variable => ({ shape: dataset.shape, values: dataset.values() }));
    const [first, second] = variables;
    if (!first) continue;
    if (variables.length === 4 && variables.every(({ shape }) => shape.length === 1)) {
      lists.norms.push(variables as unknown as [Variable, Variable, Variable, Variable]);
    } else if (first.shape.length === 4 && variables.length <= 2) {
      // A depthwise kernel is [height, width, channels, 1]; a dense one has one output for no network of the family.
      if (first.shape[3] === 1 && (first.shape[2] ?? 0) > 1) lists.depthwise.push(first);
      else lists.convs.push({ kernel: first, ...(second ? { bias: second } : {}) });
    } else {
      const shapes = variables.map(({ shape }) => `[${shape}]`).join(', ');
      throw new UnsupportedModelError(
        `keras: layer "${name}" has variables of shapes ${shapes}, which no layer of a MobileNetV3 has; ${WHOLE}`,
      );
    }
  }
  return lists;
}

const convsOf = (nodes: readonly { kind: string }[]) => nodes.filter((node): node is ConvNode => node.kind === 'conv');

/** The kernels that a convolution's place in the network asks for, in the file's order. */
const signature = (convs: readonly ConvNode[]) =>
  convs.map(({ kernel, inputChannels, channels, groups }) =>
    (groups > 1 ? [...kernel, channels, 1] : [...kernel, inputChannels, channels]).join(),
  );

function graphOf({ convs, depthwise }: Lists) {
  const classes = convs.at(-1)?.kernel.shape[3];
  if (!classes) throw new UnsupportedModelError('keras: the file holds no convolutions; a MobileNetV3 with its top was expected.');
  const featureChannels = convs.at(-1)?.kernel.shape[2] as number;
  const dense = convs.map(({ kernel }) => kernel.shape.join());
  const perChannel = depthwise.map(({ shape }) => shape.join());
  for (const architecture of ARCHITECTURE_NAMES as readonly ArchitectureName[]) {
    if (!ARCHITECTURES[architecture].features) continue;
    for (const width of WIDTHS) {
      for (const expansion of ['factor', 'channels'] as const) {
        const graph = buildGraph(architecture, { width, classes, padding: 'same', featureChannels, expansion });
        const own = convsOf(graph.nodes);
        const fits =
          signature(own.filter((node) => !isDepthwise(node))).join(';') === dense.join(';') &&
          signature(own.filter(isDepthwise)).join(';') === perChannel.join(';');
        if (fits) return graph;
      }
    }
  }
  throw new UnsupportedModelError(
    `keras: ${dense.length} convolutions and ${perChannel.length} depthwise ones, to ${classes} classes, are no MobileNetV3 with its top; ${WHOLE}`,
  );
}

/**
 * Layers in the order in which the network was built to a float network; pixels are brought to [-1, 1] as Keras does.
 *
 * @throws UnsupportedModelError for layers of another network, ModelFormatError for numbers that are not finite
 */
export function networkOf(layers: readonly KerasLayer[]): Network {
  const lists = listsOf(layers);
  const graph = graphOf(lists);
  const weights = new Map<string, FloatWeights>();
  const [convs, depthwise, norms] = [lists.convs.values(), lists.depthwise.values(), lists.norms.values()];
  for (const node of convsOf(graph.nodes)) {
    const conv = isDepthwise(node) ? undefined : convs.next().value;
    const kernel = conv?.kernel ?? (depthwise.next().value as Variable);
    const bias = conv?.bias?.values ?? new Float32Array(node.channels);
    weights.set(
      node.name,
      checked(node.name, node.batchNorm ? folded(node, kernel.values, norms.next().value) : { filter: kernel.values.slice(), bias }),
    );
  }
  if (norms.next().value) throw new UnsupportedModelError('keras: the file has more batch norms than the network.');
  return { graph, weights, lanes: new Map(), preprocessing: SLIM_PREPROCESSING };
}

function folded({ name, channels }: ConvNode, kernel: Float32Array, norm: Lists['norms'][number] | undefined): FloatWeights {
  if (!norm || norm.some(({ values }) => values.length !== channels)) {
    throw new ModelFormatError(`keras: ${name} of ${channels} channels has no batch norm that goes with it.`);
  }
  const [gamma, beta, mean, variance] = norm.map(({ values }) => values) as [Float32Array, Float32Array, Float32Array, Float32Array];
  const weights = { filter: kernel, bias: new Float32Array(channels) };
  return foldBatchNorm(weights, { name, gamma, beta, mean, variance, epsilon: EPSILON });
}

function checked(name: string, weights: FloatWeights): FloatWeights {
  if (firstNotFinite(weights.filter) < 0 && firstNotFinite(weights.bias) < 0) return weights;
  throw new ModelFormatError(`keras: the weights of ${name} hold values that are not finite.`);
}
