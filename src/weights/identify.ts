import { buildGraph } from '../architecture/build.js';
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../architecture/tables.js';
import { ModelFormatError } from '../errors.js';
import type { ConvNode } from '../graph/graph.js';
import { type Convention, expandsFrom, tensorNames } from './names.js';
import type { TensorFile } from './tensors.js';

// Which network it is, told by the names of the tensors and the sizes of the kernels.

/** The layers behind the backbone, which people replace. */
export const isTail = ({ name }: { readonly name: string }): boolean => name === 'features' || name === 'classifier';

interface Candidate {
  readonly architecture: ArchitectureName;
  readonly convs: readonly ConvNode[];
  /** The names of their filters. */
  readonly wanted: readonly string[];
}

function candidatesOf(convention: Convention): Candidate[] {
  return ARCHITECTURE_NAMES.map((architecture) => {
    const graph = buildGraph(architecture);
    const expands = expandsFrom(graph);
    const convs = graph.nodes.filter((node): node is ConvNode => node.kind === 'conv');
    return { architecture, convs, wanted: convs.map((node) => tensorNames(convention, architecture, node, expands).filter) };
  });
}

const isFilter = ({ shape }: { readonly shape: readonly number[] }) => shape.length === 4 || shape.length === 2;

/** Where a backbone's tensors are: those of a head are elsewhere. */
const BACKBONE: Readonly<Record<Convention, RegExp>> = {
  torchvision: /^(features|layers)\./,
  timm: /^(conv_stem|blocks)\./,
  proxyless: /^(first_conv|blocks|feature_mix_layer)\./,
};

export interface Identity {
  readonly architecture: ArchitectureName;
  /** Whether the layers behind the backbone are the architecture's own. */
  readonly standard: boolean;
}

/** @throws ModelFormatError where no architecture has the file's backbone */
export function identify(file: TensorFile, convention: Convention, known?: ArchitectureName): Identity {
  const candidates = candidatesOf(convention).filter(({ architecture }) => known === undefined || architecture === known);
  if (candidates.length === 0) throw new ModelFormatError(`unknown architecture "${known}"; known are ${ARCHITECTURE_NAMES.join(', ')}.`);
  const filters = [...file.tensors].filter(([, tensor]) => isFilter(tensor)).map(([name]) => name);
  const has = (node: ConvNode, name: string | undefined) => {
    const shape = file.tensors.get(name as string)?.shape;
    return shape !== undefined && (shape[2] ?? 1) === node.kernel[0];
  };
  // A batch norm behind the pool is no architecture's own.
  const normed = [...file.tensors.keys()].some((name) => /^(classifier|head|fc)\b.*\.running_var$/.test(name));
  const fits = ({ convs, wanted }: Candidate) => wanted.length === filters.length && convs.every((node, i) => has(node, wanted[i]));
  const whole = normed ? undefined : candidates.find(fits);
  if (whole) return { architecture: whole.architecture, standard: true };
  const inside = filters.filter((name) => BACKBONE[convention].test(name)).length;
  const body = candidates.find(({ convs, wanted }) => {
    const own = wanted.filter((name) => BACKBONE[convention].test(name)).length;
    return own === inside && convs.every((node, i) => isTail(node) || has(node, wanted[i]));
  });
  if (body) return { architecture: body.architecture, standard: false };
  throw nearest(file, convention, candidates, filters);
}

/** Says what is missing or too much, measured against the architecture that shares the most names. */
function nearest(file: TensorFile, convention: Convention, candidates: readonly Candidate[], filters: readonly string[]): Error {
  const [best] = candidates
    .map(({ architecture, wanted }) => {
      const missing = wanted.filter((name) => !file.tensors.has(name));
      const extra = filters.filter((name) => !wanted.includes(name));
      return { architecture, missing, extra, distance: missing.length + extra.length };
    })
    .sort((a, b) => a.distance - b.distance);
  const list = (names: string[] = []) => names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
  return new ModelFormatError(
    `the ${convention} tensors fit no architecture of the family; nearest is ${best?.architecture}` +
      (best?.missing.length ? `, but missing: ${list(best.missing)}` : '') +
      (best?.extra.length ? `, extra: ${list(best.extra)}` : '') +
      (best?.distance === 0 ? ', but kernel sizes differ' : '') +
      '.',
  );
}
