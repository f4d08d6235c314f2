import { ARCHITECTURES, type ArchitectureTable, type BlockRow } from '../../architecture/tables.js';
import type { Activation, Curve } from '../../graph/graph.js';

// The networks that the paper compares, and V3-Large with one idea taken out or put back.

const { mobilenet_v3_large: large, mobilenet_v2: v2 } = ARCHITECTURES;
type Nonlinearity = Activation | Curve;

const withBlocks = (table: ArchitectureTable, change: (block: BlockRow) => Partial<BlockRow>): ArchitectureTable => ({
  ...table,
  blocks: table.blocks.map((block) => ({ ...block, ...change(block) })),
});

/** Table 5: the nonlinearity of the blocks of at least `from` channels; ReLU in the others. Stem and head have it too. */
function nonlinearFrom(from: number, activation: Nonlinearity): ArchitectureTable {
  const table = withBlocks(large, ({ out }) => ({ activation: out >= from ? activation : 'relu' }));
  return {
    ...table,
    stem: { ...large.stem, activation },
    head: { ...large.head, activation },
    features: { out: 1280, activation },
  };
}

/** Figure 5, above: a 1x1 convolution to 1280 channels in front of the pool, and a bottleneck of 320 channels in front of it. */
function oldLastStage(table: ArchitectureTable): ArchitectureTable {
  const { features, ...rest } = table;
  const { activation } = table.head;
  const last: BlockRow = { kernel: 3, expand: 960, out: 320, se: false, activation, stride: 1 };
  return { ...rest, blocks: [...table.blocks, last], head: { out: 1280, activation } };
}

export const withoutSe = (table: ArchitectureTable): ArchitectureTable => withBlocks(table, () => ({ se: false }));
const withRelu = (table: ArchitectureTable): ArchitectureTable => ({
  ...withBlocks(table, () => ({ activation: 'relu' })),
  stem: { ...table.stem, activation: 'relu' },
  head: { ...table.head, activation: 'relu' },
  ...(table.features ? { features: { ...table.features, activation: 'relu' } } : {}),
});
const withStem = (table: ArchitectureTable, out: number, activation: Nonlinearity): ArchitectureTable => ({
  ...table,
  stem: { out, activation },
});

export interface PaperNetwork {
  readonly title: string;
  readonly table: ArchitectureTable;
}

const own = (title: string, name: keyof typeof ARCHITECTURES): PaperNetwork => ({ title, table: ARCHITECTURES[name] });

/** Figure 9's road: the blocks that were searched, then one idea after the other. */
const searched = withStem(oldLastStage(withRelu(withoutSe(large))), 32, 'relu');
const gated = withStem(oldLastStage(withRelu(large)), 32, 'relu');
const bent = withStem(oldLastStage(large), 32, 'hardSwish');

export const NETWORKS = {
  large: own('V3-Large', 'mobilenet_v3_large'),
  small: own('V3-Small', 'mobilenet_v3_small'),
  v2: own('V2', 'mobilenet_v2'),
  'mnasnet-a1': own('MnasNet-A1', 'mnasnet_a1'),
  proxyless: own('ProxylessNAS', 'proxylessnas_mobile'),
  'mnasnet-small': own('Mnas-small', 'mnasnet_small'),
  'large-minimalistic': own('V3-Large minimalistic', 'mobilenet_v3_large_minimalistic'),
  'small-minimalistic': own('V3-Small minimalistic', 'mobilenet_v3_small_minimalistic'),
  'large-relu': { title: 'ReLU', table: withRelu(large) },
  'large-hs16': { title: 'h-swish everywhere (from 16 channels)', table: nonlinearFrom(16, 'hardSwish') },
  'large-hs112': { title: 'h-swish from 112 channels', table: nonlinearFrom(112, 'hardSwish') },
  'large-swish16': { title: 'swish everywhere', table: nonlinearFrom(16, 'swish') },
  'large-swish': { title: 'swish from 80 channels', table: nonlinearFrom(80, 'swish') },
  'v2-se': { title: 'V2 with squeeze-excite', table: withBlocks(v2, () => ({ se: true })) },
  'large-searched': { title: 'the searched blocks, ReLU', table: searched },
  'large-searched-se': { title: '+ squeeze-excite, a quarter of the expansion', table: gated },
  'large-searched-se-hs': { title: '+ h-swish', table: bent },
  'large-searched-se-hs-last': { title: '+ the last stage behind the pool', table: withStem(large, 32, 'hardSwish') },
  'large-no-se': { title: 'without squeeze-excite', table: withoutSe(large) },
  'large-se-input': {
    title: "squeeze-excite of a quarter of the block's input",
    table: { ...large, squeeze: { of: 'input', gate: 'hardSigmoid' } },
  },
  'large-old-last-stage': { title: 'the last stage in front of the pool', table: oldLastStage(large) },
  'large-stem32': { title: '32 filters in the stem, ReLU', table: withStem(large, 32, 'relu') },
} as const satisfies Record<string, PaperNetwork>;

export type NetworkKey = keyof typeof NETWORKS;
