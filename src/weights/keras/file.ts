import { ModelFormatError } from '../../errors.js';
import type { Network } from '../../graph/network.js';
import type { Constant } from '../constants.js';
import { type Dataset, type Group, isGroup, readHdf5 } from '../hdf5/file.js';
import { parseJson, SLIM_PREPROCESSING } from '../metadata.js';
import { readStoredZip } from '../torch/zip.js';
import { readLayers } from './layers.js';
import { type KerasLayer, networkOf } from './lists.js';
import { namedVariables, placedVariables } from './variables.js';

// What Keras saves: whole models, as .h5 files and as .keras archives, and files of weights alone.

const PREPROCESSING = { ...SLIM_PREPROCESSING, crop: 1 };

const constantOf = (dataset: Dataset): Constant => ({
  shape: dataset.shape,
  get values() {
    return dataset.values();
  },
});

/** Every tensor of a group, by its path. */
function tensorsOf(group: Group, path = ''): [string, Dataset][] {
  return [...group.members].flatMap(([name, member]) =>
    isGroup(member) ? tensorsOf(member, `${path}${name}/`) : [[`${path}${name}`, member] as [string, Dataset]],
  );
}

/** A list of names, in pieces where it was too long for one attribute. */
function namesIn(group: Group, attribute: string): readonly string[] | undefined {
  const whole = group.attributes.get(attribute);
  if (whole) return whole;
  const pieces: string[] = [];
  for (let i = 0; group.attributes.has(`${attribute}${i}`); i++)
    pieces.push(...(group.attributes.get(`${attribute}${i}`) as readonly string[]));
  return pieces.length > 0 ? pieces : undefined;
}

/** @throws ModelFormatError for a damaged file, UnsupportedModelError for layers outside the family */
export function readKerasHdf5(bytes: Uint8Array): Network {
  const root = readHdf5(bytes);
  const inner = root.members.get('model_weights');
  const weights = isGroup(inner) ? inner : root;
  const [config] = root.attributes.get('model_config') ?? [];
  if (config === undefined) return networkOf(layersOf(weights));
  const variables = new Map(
    layersOf(weights).flatMap(({ variables }) => variables.map(({ path, dataset }) => [path, constantOf(dataset)] as const)),
  );
  const [version = '2'] = root.attributes.get('keras_version') ?? [];
  const description = parseJson(config, 'model_config') as Record<string, unknown>;
  return readLayers(description, namedVariables(variables), { format: 'keras', version, preprocessing: PREPROCESSING });
}

/** A .keras archive of Keras 3: the description and the weights are files of their own. */
export function readKerasArchive(bytes: Uint8Array): Network {
  const entries = readStoredZip(bytes);
  const [config, weights, metadata] = ['config.json', 'model.weights.h5', 'metadata.json'].map((name) => entries.get(name));
  if (!config || !weights) throw new ModelFormatError('keras: the archive holds no config.json or no model.weights.h5.');
  const text = (part: Uint8Array) => new TextDecoder().decode(part);
  const description = parseJson(text(config), 'config.json') as Record<string, unknown>;
  const variables = placedVariables(new Map(tensorsOf(readHdf5(weights)).map(([path, dataset]) => [path, constantOf(dataset)])));
  const { keras_version: version = '3' } = metadata ? (parseJson(text(metadata), 'metadata.json') as Record<string, unknown>) : {};
  return readLayers(description, variables, { format: 'keras', version: String(version), preprocessing: PREPROCESSING });
}

// --- layers of a file of weights

/** conv2d, conv2d_1, conv2d_10: in the order of their numbers. */
function numbered(names: readonly string[]): string[] {
  const numberOf = (name: string) => Number(/_(\d+)$/.exec(name)?.[1] ?? 0);
  const baseOf = (name: string) => name.replace(/_\d+$/, '');
  return [...names].sort((a, b) => (baseOf(a) === baseOf(b) ? numberOf(a) - numberOf(b) : baseOf(a) < baseOf(b) ? -1 : 1));
}

/** The order that Keras writes a batch norm's variables in, whatever order the file lists them in. */
const ORDER = ['kernel', 'depthwise_kernel', 'gamma', 'beta', 'bias', 'moving_mean', 'moving_variance'];
const lastOf = (path: string) => path.slice(path.lastIndexOf('/') + 1).replace(/:0$/, '');

function variablesOf(group: Group): KerasLayer['variables'] {
  const tensors = new Map(tensorsOf(group));
  // Names with slashes nest one layer's group in another's: the list says which variables are whose.
  const own = namesIn(group, 'weight_names');
  const paths = own ?? [...tensors.keys()];
  const found = paths.map((path) => {
    const dataset = tensors.get(path);
    if (!dataset) throw new ModelFormatError(`keras: the file is damaged: the variable "${path}" is missing.`);
    return { path, dataset };
  });
  if (own) return found;
  const rank = ({ path }: { path: string }) => ORDER.indexOf(lastOf(path));
  return found.sort((a, b) => rank(a) - rank(b) || a.path.localeCompare(b.path, 'en', { numeric: true }));
}

/** The layers of a legacy .h5 file, or of a .weights.h5 file of Keras 3, in the order in which each kind was built. */
function layersOf(root: Group): KerasLayer[] {
  const names = namesIn(root, 'layer_names');
  const modern = root.members.get('layers');
  if (!names && !isGroup(modern))
    throw new ModelFormatError('keras: the file has no layers; a model or weights that Keras saved were expected.');
  const parent = names ? root : (modern as Group);
  const ordered = names ?? numbered([...parent.members.keys()]);
  return ordered.flatMap((name) => {
    const group = name
      .split('/')
      .reduce<Group | Dataset | undefined>((at, part) => (isGroup(at) ? at.members.get(part) : undefined), parent);
    const variables = isGroup(group) ? variablesOf(group) : [];
    return variables.length > 0 ? [{ name, variables }] : [];
  });
}
