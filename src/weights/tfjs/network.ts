import { ModelFormatError, UnsupportedModelError } from '../../errors.js';
import type { Network } from '../../graph/network.js';
import { optional } from '../../source/source.js';
import type { Source } from '../../source/types.js';
import { parseJson, readTeachable, SLIM_PREPROCESSING } from '../metadata.js';
import { readManifest } from './manifest.js';

/** Whole images, as pages hand them over: nothing is cut off at the sides. */
const PREPROCESSING = { ...SLIM_PREPROCESSING, crop: 1 };

/**
 * TensorFlow.js' model.json and the shards beside it: layers models, as Keras describes them, and graph models, as TensorFlow's
 * converter leaves them.
 *
 * @throws ModelFormatError for a damaged file, UnsupportedModelError for layers outside the family, InputError without shards
 */
export async function readTfjs(bytes: Uint8Array, source: Source): Promise<Network> {
  const model = parseJson(new TextDecoder().decode(bytes), 'model.json') as Record<string, unknown> | null;
  const described = model?.['modelTopology'];
  // Keras' to_json() gives text, which scripts put there as it is.
  const topology = (typeof described === 'string' ? parseJson(described, 'modelTopology') : described) as
    | Record<string, unknown>
    | undefined;
  if (typeof topology !== 'object' || topology === null) {
    throw new ModelFormatError('the JSON file has no modelTopology; a model.json of TensorFlow.js was expected.');
  }
  const weights = await readManifest(model?.['weightsManifest'], source);
  const text = await optional(source, 'metadata.json');
  const teachable = text && readTeachable(new TextDecoder().decode(text));
  const preprocessing = PREPROCESSING;
  let network: Network;
  if (Array.isArray(topology['node'])) {
    const { readGraphModel } = await import('./graph-model.js');
    network = readGraphModel(topology['node'], model as Record<string, unknown>, weights, preprocessing);
  } else {
    const [{ readLayers }, { namedVariables }] = await Promise.all([import('../keras/layers.js'), import('../keras/variables.js')]);
    const config = (topology['model_config'] ?? topology) as Record<string, unknown>;
    if (typeof config !== 'object' || config === null) throw new UnsupportedModelError('tfjs: modelTopology describes no layers.');
    const version = String(topology['keras_version'] ?? '2');
    network = readLayers(config, namedVariables(weights), { format: 'tfjs', version, preprocessing });
  }
  return teachable?.labels?.length === network.graph.classes ? { ...network, labels: teachable.labels } : network;
}
