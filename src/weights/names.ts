import { ARCHITECTURES, type ArchitectureName } from '../architecture/tables.js';
import type { ConvNode, Graph } from '../graph/graph.js';

/** Who wrote a file: that settles names, batch norm's epsilon and padding. */
export type Convention = 'torchvision' | 'timm' | 'proxyless';

/** Where a convolution's numbers lie in a file: a filter, and a batch norm or a bias. */
export interface TensorNames {
  readonly filter: string;
  readonly batchNorm?: string;
  readonly bias?: string;
}

export const batchNormEpsilon = (convention: Convention, architecture: ArchitectureName) =>
  convention === 'timm' ? 1e-5 : ARCHITECTURES[architecture].batchNormEpsilon;

/** Which blocks of a graph begin with an expansion. */
export const expandsFrom = (graph: Graph) => {
  const names = new Set(graph.nodes.map((node) => node.name));
  return (block: number) => names.has(`blocks.${block}.expand`);
};

type Role = 'expand' | 'depthwise' | 'reduce' | 'excite' | 'project';

/** Stages of blocks that begin although the number of channels stays as it was. */
const STARTS: Partial<Record<ArchitectureName, readonly number[]>> = { mnasnet_small: [2, 8] };

/** timm groups blocks into stages: neighbours with the same number of output channels. */
function timmStages(architecture: ArchitectureName): string[] {
  const { blocks } = ARCHITECTURES[architecture];
  let stage = -1;
  let index = 0;
  return blocks.map(({ out }, i) => {
    if (i === 0 || blocks[i - 1]?.out !== out || STARTS[architecture]?.includes(i)) {
      stage++;
      index = 0;
    } else index++;
    return `${stage}.${index}`;
  });
}

function torchvisionBlock(v2: boolean, block: number, role: Role, expands: boolean, se: boolean): TensorNames {
  const prefix = `features.${block + 1}.${v2 ? 'conv' : 'block'}`;
  // A convolution with its batch norm is one entry of a Sequential; V2 leaves the projection's pair unwrapped.
  const depthwise = expands ? 1 : 0;
  const pair = (i: number) => ({ filter: `${prefix}.${i}.0.weight`, batchNorm: `${prefix}.${i}.1` });
  const squeeze = (layer: string) => ({
    filter: `${prefix}.${depthwise + 1}.${layer}.weight`,
    bias: `${prefix}.${depthwise + 1}.${layer}.bias`,
  });
  switch (role) {
    case 'expand':
      return pair(0);
    case 'depthwise':
      return pair(depthwise);
    case 'reduce':
      return squeeze('fc1');
    case 'excite':
      return squeeze('fc2');
    case 'project':
      if (v2) return { filter: `${prefix}.${depthwise + 1}.weight`, batchNorm: `${prefix}.${depthwise + 2}` };
      return pair(depthwise + (se ? 2 : 1));
  }
}

function timmBlock(stage: string, role: Role, expands: boolean): TensorNames {
  const prefix = `blocks.${stage}`;
  const pair = (conv: string, norm: number) => ({ filter: `${prefix}.${conv}.weight`, batchNorm: `${prefix}.bn${norm}` });
  const squeeze = (layer: string) => ({ filter: `${prefix}.se.${layer}.weight`, bias: `${prefix}.se.${layer}.bias` });
  switch (role) {
    case 'expand':
      return pair('conv_pw', 1);
    case 'depthwise':
      return pair('conv_dw', expands ? 2 : 1);
    case 'reduce':
      return squeeze('conv_reduce');
    case 'excite':
      return squeeze('conv_expand');
    case 'project':
      return expands ? pair('conv_pwl', 3) : pair('conv_pw', 2);
  }
}

/** MnasNet in torchvision: one Sequential, whose stages from the ninth entry on are Sequentials of blocks. */
function mnasnetNames(stages: readonly string[], name: string, block: number, role: Role): TensorNames {
  const pair = (prefix: string, i: number) => ({ filter: `${prefix}${i}.weight`, batchNorm: `${prefix}${i + 1}` });
  if (name === 'stem') return pair('layers.', 0);
  if (name === 'head') return pair('layers.', 14);
  if (name === 'classifier') return { filter: 'classifier.1.weight', bias: 'classifier.1.bias' };
  // The first block has no expansion, and no Sequential of its own.
  if (block === 0) return pair('layers.', role === 'depthwise' ? 3 : 6);
  const [stage, index] = (stages[block] as string).split('.');
  const prefix = `layers.${7 + Number(stage)}.${index}.layers.`;
  if (role === 'reduce' || role === 'excite') return { filter: `${prefix}${role}.weight`, bias: `${prefix}${role}.bias` };
  return pair(prefix, role === 'expand' ? 0 : role === 'depthwise' ? 3 : 6);
}

/** Blocks of ProxylessNAS (Mobile) that are the identity: they have a number and no tensors. */
const IDENTITIES = [3, 4];

/** ProxylessNAS in its authors' own repository. */
function proxylessNames(name: string, block: number, role: Role): TensorNames {
  const layer = (prefix: string) => ({ filter: `${prefix}.conv.weight`, batchNorm: `${prefix}.bn` });
  if (name === 'stem') return layer('first_conv');
  if (name === 'head') return layer('feature_mix_layer');
  if (name === 'classifier') return { filter: 'classifier.linear.weight', bias: 'classifier.linear.bias' };
  const number = IDENTITIES.reduce((at, identity) => (at >= identity ? at + 1 : at), block);
  const parts: Partial<Record<Role, string>> = { expand: 'inverted_bottleneck', depthwise: 'depth_conv', project: 'point_linear' };
  return layer(`blocks.${number}.mobile_inverted_conv.${parts[role]}`);
}

/** The names under which `convention` keeps a node's numbers. `expands(i)`: whether block i has an expansion. */
export function tensorNames(
  convention: Convention,
  architecture: ArchitectureName,
  node: ConvNode,
  expands: (block: number) => boolean,
): TensorNames {
  const table = ARCHITECTURES[architecture];
  // No layer between pool and classifier: V2 and its kin.
  const v2 = table.features === undefined;
  const [, block, role] = /^blocks\.(\d+)\.(\w+)$/.exec(node.name) ?? [];
  if (convention === 'proxyless') return proxylessNames(node.name, Number(block), role as Role);
  if (convention === 'torchvision' && architecture.startsWith('mnasnet'))
    return mnasnetNames(timmStages(architecture), node.name, Number(block), role as Role);
  if (block !== undefined) {
    const i = Number(block);
    const se = table.blocks[i]?.se ?? false;
    if (convention === 'timm') return timmBlock(timmStages(architecture)[i] as string, role as Role, expands(i));
    return torchvisionBlock(v2, i, role as Role, expands(i), se);
  }
  const linear = (name: string) => ({ filter: `${name}.weight`, bias: `${name}.bias` });
  if (convention === 'timm') {
    const stages = new Set(timmStages(architecture).map((stage) => stage.split('.')[0])).size;
    const head = v2
      ? { filter: 'conv_head.weight', batchNorm: 'bn2' }
      : { filter: `blocks.${stages}.0.conv.weight`, batchNorm: `blocks.${stages}.0.bn1` };
    const names: Record<string, TensorNames> = {
      stem: { filter: 'conv_stem.weight', batchNorm: 'bn1' },
      head,
      features: linear('conv_head'),
      classifier: linear('classifier'),
    };
    return names[node.name] as TensorNames;
  }
  const last = table.blocks.length + 1;
  const names: Record<string, TensorNames> = {
    stem: { filter: 'features.0.0.weight', batchNorm: 'features.0.1' },
    head: { filter: `features.${last}.0.weight`, batchNorm: `features.${last}.1` },
    features: linear('classifier.0'),
    classifier: linear(v2 ? 'classifier.1' : 'classifier.3'),
  };
  return names[node.name] as TensorNames;
}
