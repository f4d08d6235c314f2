import { buildTable, roundChannels } from '../../architecture/build.js';
import type { ArchitectureTable } from '../../architecture/tables.js';
import { type Graph, type Node, renameOutputs } from '../../graph/graph.js';
import { NETWORKS, type NetworkKey } from './networks.js';

/** One thing that is measured. */
export interface Subject {
  readonly network: NetworkKey;
  readonly width: number;
  readonly resolution: number;
  readonly precision: 'float32' | 'int8';
  /** h-swish as a pass of its own, as an engine without the fused one has it. */
  readonly unfused?: boolean;
}

export const subject = (
  network: NetworkKey,
  { width = 1, resolution = 224, precision = 'float32', unfused = false }: Partial<Omit<Subject, 'network'>> = {},
): Subject => ({ network, width, resolution, precision, ...(unfused ? { unfused } : {}) });

export const idOf = ({ network, width, resolution, precision, unfused }: Subject): string =>
  `${network} ${width} ${resolution} ${precision}${unfused ? ' unfused' : ''}`;

/**
 * A table at a width as the authors' code has it: expansions are multiples of the rounded input, and the layer behind the pool does not
 * shrink.
 */
export function scaled(name: string, table: ArchitectureTable, width: number, resolution = 224): Graph {
  const features = table.features ? { featureChannels: roundChannels(table.features.out * Math.max(1, width)) } : {};
  return buildTable(name, table, { width, resolution, expansion: 'factor', ...features });
}

export function graphOf({ network, width, resolution, unfused }: Subject): Graph {
  const graph = scaled(network, NETWORKS[network].table, width, resolution);
  return unfused ? unfuse(graph) : graph;
}

function unfuse(graph: Graph): Graph {
  const renamed = (name: string) => {
    const maker = graph.nodes.find((node) => node.name === name);
    return maker?.kind === 'conv' && maker.activation === 'hardSwish' ? `${name}.hardSwish` : name;
  };
  const nodes = graph.nodes.flatMap((node): Node[] => {
    const moved = { ...node, inputs: node.inputs.map(renamed) };
    if (moved.kind !== 'conv' || moved.activation !== 'hardSwish') return [moved];
    const activation: Node = { kind: 'activation', name: `${node.name}.hardSwish`, inputs: [node.name], activation: 'hardSwish' };
    return [{ ...moved, activation: 'none' }, activation];
  });
  return { ...graph, nodes, outputs: renameOutputs(graph.outputs, renamed) };
}

/** Table 3, in its order. */
export const TABLE_3: readonly Subject[] = [
  subject('large'),
  subject('large', { width: 0.75 }),
  subject('mnasnet-a1'),
  subject('proxyless'),
  subject('v2'),
  subject('small'),
  subject('small', { width: 0.75 }),
  subject('mnasnet-small'),
  subject('v2', { width: 0.35 }),
  subject('large-minimalistic'),
  subject('small-minimalistic'),
];

const both = (one: Subject): [Subject, Subject] => [one, { ...one, precision: 'int8' }];
export const TABLE_4_ROWS: readonly Subject[] = [subject('large'), subject('v2'), subject('small'), subject('v2', { width: 0.35 })];
export const TABLE_5: readonly NetworkKey[] = ['large-relu', 'large-hs16', 'large', 'large-hs112', 'large-swish', 'large-swish16'];
/** Figure 9: the road from V2, and what each idea is when it alone is taken out of V3-Large. */
export const ROAD: readonly NetworkKey[] = [
  'v2',
  'large-searched',
  'large-searched-se',
  'large-searched-se-hs',
  'large-searched-se-hs-last',
  'large',
];
export const IDEAS: readonly NetworkKey[] = [
  'large-no-se',
  'large-se-input',
  'large-old-last-stage',
  'large-stem32',
  'v2-se',
  'mnasnet-a1',
];

export const WIDTHS = [0.35, 0.5, 0.75, 1, 1.25] as const;
export const RESOLUTIONS = [96, 128, 160, 192, 224, 256] as const;
export const FIGURE_NETWORKS = ['large', 'small', 'v2'] as const;

const isHardSwish = (network: NetworkKey) => network === 'large' || network.startsWith('large-hs');

const figure = (of: (network: (typeof FIGURE_NETWORKS)[number]) => Subject[]): Subject[] => FIGURE_NETWORKS.flatMap(of).flatMap(both);

/** What is compared with each other is measured together, in turn. */
export const GROUPS = {
  table3: TABLE_3,
  table4: TABLE_4_ROWS.flatMap(both),
  table5: TABLE_5.flatMap((network) => [
    ...both(subject(network)),
    ...(isHardSwish(network) ? both(subject(network, { unfused: true })) : []),
  ]),
  figure9: [...ROAD, ...IDEAS].flatMap((network) => both(subject(network))),
  widths: figure((network) => WIDTHS.map((width) => subject(network, { width }))),
  resolutions: figure((network) => RESOLUTIONS.map((resolution) => subject(network, { resolution }))),
} as const satisfies Record<string, readonly Subject[]>;

export type GroupName = keyof typeof GROUPS;
export const GROUP_NAMES = Object.keys(GROUPS) as GroupName[];
