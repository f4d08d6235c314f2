import type { Activation } from '../graph/graph.js';

/** One row of the paper's tables: an inverted residual. `expand` is the number of expanded channels at width 1. */
export interface BlockRow {
  readonly kernel: 3 | 5;
  readonly expand: number;
  readonly out: number;
  readonly se: boolean;
  readonly activation: Activation;
  readonly stride: 1 | 2;
}

export interface ArchitectureTable {
  /** Channels and activation of the 3x3 stride-2 convolution that comes first. */
  readonly stem: { readonly out: number; readonly activation: Activation };
  readonly blocks: readonly BlockRow[];
  /** The 1x1 convolution before the pool; V3 scales it with the last block. */
  readonly head: { readonly out: number; readonly activation: Activation };
  /** The fully connected layer between pool and classifier, where there is one. */
  readonly features?: { readonly out: number; readonly activation: Activation };
  /** V2 gives the expansion as a factor of the block's (rounded) input, V3 as a number of channels. */
  readonly expansion: 'channels' | 'factor';
  /** What torchvision trains with. */
  readonly batchNormEpsilon: number;
}

const row =
  (activation: Activation) =>
  (kernel: 3 | 5, expand: number, out: number, se: boolean, stride: 1 | 2): BlockRow => ({ kernel, expand, out, se, activation, stride });
const RE = row('relu');
const HS = row('hardSwish');
const R6 = row('relu6');

/** arXiv 1905.02244, Table 1. */
const large: ArchitectureTable = {
  stem: { out: 16, activation: 'hardSwish' },
  //        kernel expand out   SE    stride
  blocks: [
    RE(3, 16, 16, false, 1),
    RE(3, 64, 24, false, 2),
    RE(3, 72, 24, false, 1),
    RE(5, 72, 40, true, 2),
    RE(5, 120, 40, true, 1),
    RE(5, 120, 40, true, 1),
    HS(3, 240, 80, false, 2),
    HS(3, 200, 80, false, 1),
    HS(3, 184, 80, false, 1),
    HS(3, 184, 80, false, 1),
    HS(3, 480, 112, true, 1),
    HS(3, 672, 112, true, 1),
    HS(5, 672, 160, true, 2),
    HS(5, 960, 160, true, 1),
    HS(5, 960, 160, true, 1),
  ],
  head: { out: 960, activation: 'hardSwish' },
  features: { out: 1280, activation: 'hardSwish' },
  expansion: 'channels',
  batchNormEpsilon: 1e-3,
};

/** arXiv 1905.02244, Table 2. */
const small: ArchitectureTable = {
  stem: { out: 16, activation: 'hardSwish' },
  blocks: [
    RE(3, 16, 16, true, 2),
    RE(3, 72, 24, false, 2),
    RE(3, 88, 24, false, 1),
    HS(5, 96, 40, true, 2),
    HS(5, 240, 40, true, 1),
    HS(5, 240, 40, true, 1),
    HS(5, 120, 48, true, 1),
    HS(5, 144, 48, true, 1),
    HS(5, 288, 96, true, 2),
    HS(5, 576, 96, true, 1),
    HS(5, 576, 96, true, 1),
  ],
  head: { out: 576, activation: 'hardSwish' },
  features: { out: 1024, activation: 'hardSwish' },
  expansion: 'channels',
  batchNormEpsilon: 1e-3,
};

/** The same without squeeze-excite, h-swish and 5x5 kernels: the authors' "minimalistic" networks. */
function minimalistic(table: ArchitectureTable): ArchitectureTable {
  const plain = { activation: 'relu' } as const;
  return {
    ...table,
    stem: { ...table.stem, ...plain },
    blocks: table.blocks.map((block) => ({ ...block, ...plain, kernel: 3, se: false })),
    head: { ...table.head, ...plain },
    features: { out: table.features?.out ?? 0, ...plain },
  };
}

/** arXiv 1801.04381, Table 2: (t, c, n, s) rows, n blocks each, the stride in the first. `expand` is the factor t. */
const v2: ArchitectureTable = {
  stem: { out: 32, activation: 'relu6' },
  blocks: [
    [1, 16, 1, 1],
    [6, 24, 2, 2],
    [6, 32, 3, 2],
    [6, 64, 4, 2],
    [6, 96, 3, 1],
    [6, 160, 3, 2],
    [6, 320, 1, 1],
  ].flatMap(([t = 0, c = 0, n = 0, s]) => Array.from({ length: n }, (_, i) => R6(3, t, c, false, s === 2 && i === 0 ? 2 : 1))),
  head: { out: 1280, activation: 'relu6' },
  expansion: 'factor',
  batchNormEpsilon: 1e-5,
};

export const ARCHITECTURES = {
  mobilenet_v3_small: small,
  mobilenet_v3_large: large,
  mobilenet_v3_small_minimalistic: minimalistic(small),
  mobilenet_v3_large_minimalistic: minimalistic(large),
  mobilenet_v2: v2,
} as const satisfies Record<string, ArchitectureTable>;

export type ArchitectureName = keyof typeof ARCHITECTURES;
export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as ArchitectureName[];
