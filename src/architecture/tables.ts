import type { Activation, Curve } from '../graph/graph.js';

/** One row of the paper's tables: an inverted residual. `expand` is the number of expanded channels at width 1. */
export interface BlockRow {
  readonly kernel: 3 | 5 | 7;
  readonly expand: number;
  readonly out: number;
  readonly se: boolean;
  readonly activation: Activation | Curve;
  readonly stride: 1 | 2;
}

export interface ArchitectureTable {
  /** Channels and activation of the 3x3 stride-2 convolution that comes first. */
  readonly stem: { readonly out: number; readonly activation: Activation | Curve };
  readonly blocks: readonly BlockRow[];
  /** The 1x1 convolution before the pool; V3 scales it with the last block, V2 for widths above 1, MnasNet never ("fixed"). */
  readonly head: { readonly out: number; readonly activation: Activation | Curve; readonly fixed?: boolean };
  /** The fully connected layer between pool and classifier, where there is one. */
  readonly features?: { readonly out: number; readonly activation: Activation | Curve };
  /** Squeeze-excite: squeezed to a quarter of the block's expansion or of its input, and the function that gates. */
  readonly squeeze: { readonly of: 'expansion' | 'input'; readonly gate: 'hardSigmoid' | 'sigmoid' };
  /** V2 gives the expansion as a factor of the block's (rounded) input, V3 as a number of channels. */
  readonly expansion: 'channels' | 'factor';
  /** What torchvision trains with. */
  readonly batchNormEpsilon: number;
}

const row =
  (activation: Activation | Curve) =>
  (kernel: BlockRow['kernel'], expand: number, out: number, se: boolean, stride: 1 | 2): BlockRow => ({
    kernel,
    expand,
    out,
    se,
    activation,
    stride,
  });
const RE = row('relu');
const HS = row('hardSwish');

const V3_SQUEEZE = { of: 'expansion', gate: 'hardSigmoid' } as const;

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
  squeeze: V3_SQUEEZE,
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
  squeeze: V3_SQUEEZE,
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

/** n blocks that differ in the first one's stride alone; t is the expansion's factor. */
type Stage = readonly [kernel: BlockRow['kernel'], t: number, c: number, n: number, s: 1 | 2, se?: 'SE'];
const stages = (activation: Activation | Curve, rows: readonly Stage[]): BlockRow[] =>
  rows.flatMap(([kernel, expand, out, n, s, se]) =>
    Array.from({ length: n }, (_, i) => ({ kernel, expand, out, se: se !== undefined, activation, stride: i === 0 ? s : 1 })),
  );

/** arXiv 1801.04381, Table 2. */
const v2: ArchitectureTable = {
  stem: { out: 32, activation: 'relu6' },
  //              k  t  c   n  s
  blocks: stages('relu6', [
    [3, 1, 16, 1, 1],
    [3, 6, 24, 2, 2],
    [3, 6, 32, 3, 2],
    [3, 6, 64, 4, 2],
    [3, 6, 96, 3, 1],
    [3, 6, 160, 3, 2],
    [3, 6, 320, 1, 1],
  ]),
  head: { out: 1280, activation: 'relu6' },
  squeeze: V3_SQUEEZE,
  expansion: 'factor',
  batchNormEpsilon: 1e-5,
};

const mnasnet = (stem: number, blocks: readonly Stage[]): ArchitectureTable => ({
  stem: { out: stem, activation: 'relu' },
  blocks: stages('relu', blocks),
  head: { out: 1280, activation: 'relu', fixed: true },
  squeeze: { of: 'input', gate: 'sigmoid' },
  expansion: 'factor',
  batchNormEpsilon: 1e-5,
});

/** arXiv 1807.11626, Figure 7a: timm's semnasnet. */
const mnasnetA1 = mnasnet(32, [
  [3, 1, 16, 1, 1],
  [3, 6, 24, 2, 2],
  [5, 3, 40, 3, 2, 'SE'],
  [3, 6, 80, 4, 2],
  [3, 6, 112, 2, 1, 'SE'],
  [5, 6, 160, 3, 2, 'SE'],
  [3, 6, 320, 1, 1],
]);

/** The authors' other network, without squeeze-excite: timm's mnasnet, torchvision's mnasnet1_0. */
const mnasnetB1 = mnasnet(32, [
  [3, 1, 16, 1, 1],
  [3, 3, 24, 3, 2],
  [5, 3, 40, 3, 2],
  [5, 6, 80, 3, 2],
  [3, 6, 96, 2, 1],
  [5, 6, 192, 4, 2],
  [3, 6, 320, 1, 1],
]);

/** The small one that the authors published, as timm has it. */
const mnasnetSmall = mnasnet(8, [
  [3, 1, 8, 1, 1],
  [3, 3, 16, 1, 2],
  [3, 6, 16, 2, 2],
  [5, 6, 32, 4, 2, 'SE'],
  [3, 6, 32, 3, 1, 'SE'],
  [5, 6, 88, 3, 2, 'SE'],
  [3, 6, 144, 1, 1],
]);

/** arXiv 1812.00332, Figure 4: ProxylessNAS (Mobile). Two blocks of its second stage are left out: the search chose identity. */
const proxylessMobile: ArchitectureTable = {
  stem: { out: 32, activation: 'relu6' },
  blocks: stages('relu6', [
    [3, 1, 16, 1, 1],
    [5, 3, 32, 1, 2],
    [3, 3, 32, 1, 1],
    [7, 3, 40, 1, 2],
    [3, 3, 40, 1, 1],
    [5, 3, 40, 2, 1],
    [7, 6, 80, 1, 2],
    [5, 3, 80, 3, 1],
    [5, 6, 96, 1, 1],
    [5, 3, 96, 3, 1],
    [7, 6, 192, 2, 2],
    [7, 3, 192, 2, 1],
    [7, 6, 320, 1, 1],
  ]),
  head: { out: 1280, activation: 'relu6', fixed: true },
  squeeze: V3_SQUEEZE,
  expansion: 'factor',
  batchNormEpsilon: 1e-3,
};

export const ARCHITECTURES = {
  mobilenet_v3_small: small,
  mobilenet_v3_large: large,
  mobilenet_v3_small_minimalistic: minimalistic(small),
  mobilenet_v3_large_minimalistic: minimalistic(large),
  mobilenet_v2: v2,
  mnasnet_a1: mnasnetA1,
  mnasnet_b1: mnasnetB1,
  mnasnet_small: mnasnetSmall,
  proxylessnas_mobile: proxylessMobile,
} as const satisfies Record<string, ArchitectureTable>;

export type ArchitectureName = keyof typeof ARCHITECTURES;
export const ARCHITECTURE_NAMES = Object.keys(ARCHITECTURES) as ArchitectureName[];
