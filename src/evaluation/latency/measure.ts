import { throwIfAborted } from '../../abort.js';
import { buildGraph } from '../../architecture/build.js';
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../../architecture/tables.js';
import { fuse } from '../../graph/fusion.js';
import type { Graph, Shape } from '../../graph/graph.js';
import { summarize } from '../../graph/summary.js';
import { type RuntimeOptions, Session } from '../../runtime/session.js';
import { quantiles } from '../metrics.js';
import { noise, withWeights } from '../paper/measure.js';
import { type BlockLatency, estimateGraph, type LatencyTable, type LayerLatency } from './estimate.js';
import { layersOf } from './layers.js';

export interface Probe {
  readonly architecture: ArchitectureName;
  readonly width: number;
  readonly resolution: number;
}

const WIDTHS = [0.35, 0.5, 0.75, 1, 1.25];
const RESOLUTIONS = [96, 128, 160, 192, 224, 256];

/** The networks that a table is made from: every architecture at every width, at two resolutions each. */
export const PROBES: readonly Probe[] = ARCHITECTURE_NAMES.flatMap((architecture, i) =>
  WIDTHS.flatMap((width, j) =>
    [0, 3].map((step) => ({ architecture, width, resolution: RESOLUTIONS[(i + j + step) % RESOLUTIONS.length] as number })),
  ),
);

/** Networks that no table is made from, and that tell how near an estimate comes: widths and resolutions in between. */
export const HELD_OUT: readonly Probe[] = [
  { architecture: 'mobilenet_v3_large', width: 0.6, resolution: 224 },
  { architecture: 'mobilenet_v3_large', width: 0.9, resolution: 176 },
  { architecture: 'mobilenet_v3_large', width: 1.1, resolution: 208 },
  { architecture: 'mobilenet_v3_small', width: 0.9, resolution: 240 },
  { architecture: 'mobilenet_v3_small', width: 1.1, resolution: 176 },
  { architecture: 'mobilenet_v2', width: 0.6, resolution: 208 },
  { architecture: 'mobilenet_v2', width: 0.9, resolution: 176 },
  { architecture: 'mnasnet_a1', width: 0.9, resolution: 208 },
  { architecture: 'mnasnet_b1', width: 0.6, resolution: 240 },
  { architecture: 'proxylessnas_mobile', width: 0.9, resolution: 208 },
];

export interface HeldOut extends Probe {
  readonly estimated: number;
  readonly measured: number;
}

export interface TableOptions extends RuntimeOptions {
  /** Milliseconds; performance.now() where it is left out. */
  readonly clock?: () => number;
  readonly signal?: AbortSignal;
  readonly onProgress?: () => void;
}

/** Each network is timed in each pass, so that a machine that becomes slower or faster does so for all of them: short passes, and many. */
const PASSES = 6;
const WARM_UP = 2;
const RUNS = 5;
const PROFILES = 5;
/** How often onProgress is called. */
export const TABLE_STEPS = PASSES * (PROBES.length + HELD_OUT.length);

const graphOf = ({ architecture, width, resolution }: Probe): Graph => buildGraph(architecture, { width, resolution });

/** What one network took. */
interface Times {
  /** The fastest run of each pass. */
  readonly runs: number[];
  /** The median of each pass. */
  readonly layers: Map<string, number[]>;
}

async function time({ runs, layers }: Times, probe: Probe, options: TableOptions): Promise<void> {
  const { simd, threads, clock = () => performance.now() } = options;
  const session = await Session.create(fuse(withWeights(graphOf(probe))), { ...(simd ? { simd } : {}), ...(threads ? { threads } : {}) });
  const input = noise(probe.resolution);
  try {
    let fastest = Number.POSITIVE_INFINITY;
    for (let run = -WARM_UP; run < RUNS; run++) {
      const start = clock();
      session.infer(() => session.put(input));
      if (run >= 0) fastest = Math.min(fastest, clock() - start);
    }
    runs.push(fastest);
    for (const { name, milliseconds } of session.profile(() => session.put(input), PROFILES, clock)) {
      const times = layers.get(name);
      if (times) times.push(milliseconds);
      else layers.set(name, [milliseconds]);
    }
  } finally {
    session.dispose();
  }
}

async function timeAll(probes: readonly Probe[], options: TableOptions): Promise<Times[]> {
  const all = probes.map((): Times => ({ runs: [], layers: new Map() }));
  for (let pass = 0; pass < PASSES; pass++) {
    for (const [i, probe] of probes.entries()) {
      throwIfAborted(options.signal);
      await time(all[i] as Times, probe, options);
      options.onProgress?.();
      await new Promise<void>((resolve) => setTimeout(resolve));
    }
  }
  return all;
}

const median = (values: readonly number[]): number => quantiles(values).median;

/** What a clock of coarse steps rounds to 0 still took some time. */
const LEAST_MILLISECONDS = 1e-4;

function blocksOf(network: string, graph: Graph, times: ReadonlyMap<string, number>): BlockLatency[] {
  const blockOf = (name: string) => (name.startsWith('blocks.') ? name.split('.', 2).join('.') : (name.split('.')[0] as string));
  const sums = new Map<string, number>();
  for (const [name, milliseconds] of times) sums.set(blockOf(name), (sums.get(blockOf(name)) ?? 0) + milliseconds);
  return summarize(graph).blocks.map(({ name, input, output, kernel, stride, expand, squeezeExcite, activation }) => ({
    network,
    block: name,
    input: [...(input as Shape)],
    output: [...(output as Shape)],
    kernel,
    stride,
    ...(expand === undefined ? {} : { expand }),
    squeezeExcite,
    activation,
    milliseconds: sums.get(name) ?? 0,
  }));
}

const shapeOf = ({ input, output, kernel, stride, expand, squeezeExcite, activation }: BlockLatency): string =>
  JSON.stringify([input, output, kernel, stride, expand, squeezeExcite, activation]);

/** Measures the table, each layer where it is in use, in a network; and how near estimates come to networks that are not in it. */
export async function measureTable(
  machine: string,
  options: TableOptions = {},
): Promise<LatencyTable & { readonly heldOut: readonly HeldOut[] }> {
  const times = await timeAll([...PROBES, ...HELD_OUT], options);
  const layers: LayerLatency[] = [];
  const blocks = new Map<string, BlockLatency>();
  const runs: Run[] = [];
  for (const [i, probe] of PROBES.entries()) {
    const [graph, timed] = [graphOf(probe), times[i] as Times];
    const typical = new Map([...timed.layers].map(([name, passes]) => [name, Math.max(LEAST_MILLISECONDS, median(passes))]));
    runs.push({ run: median(timed.runs), sum: [...typical.values()].reduce((sum, time) => sum + time, 0), layers: typical.size });
    for (const { name, ...shape } of layersOf(graph)) layers.push({ ...shape, milliseconds: typical.get(name) as number });
    for (const block of blocksOf(`${probe.architecture} ${probe.width} ${probe.resolution}`, graph, typical))
      if (!blocks.has(shapeOf(block))) blocks.set(shapeOf(block), block);
  }
  const table: LatencyTable = {
    version: 1,
    date: new Date().toISOString().slice(0, 10),
    machine,
    whole: fitWhole(runs),
    layers: merged(layers),
    blocks: [...blocks.values()],
  };
  const heldOut = HELD_OUT.map((probe, i) => ({
    ...probe,
    measured: median((times[PROBES.length + i] as Times).runs),
    estimated: estimateGraph(graphOf(probe), table).milliseconds,
  }));
  return { ...table, heldOut };
}

/** A network's run, the sum of its layers' times, and how many those are. */
interface Run {
  readonly run: number;
  readonly sum: number;
  readonly layers: number;
}

/** The factor and the milliseconds a layer that make runs of sums, with the least squared relative error. */
export function fitWhole(runs: readonly Run[]): LatencyTable['whole'] {
  let [aa, ab, bb, a, b] = [0, 0, 0, 0, 0];
  for (const { run, sum, layers } of runs) {
    const [x, y] = [sum / run, layers / run];
    aa += x * x;
    ab += x * y;
    bb += y * y;
    a += x;
    b += y;
  }
  const determinant = aa * bb - ab * ab;
  return { factor: (a * bb - b * ab) / determinant, perLayer: (b * aa - a * ab) / determinant };
}

/** Layers of one shape become one, of the median time. */
function merged(layers: readonly LayerLatency[]): LayerLatency[] {
  const groups = new Map<string, LayerLatency[]>();
  for (const layer of layers) {
    const key = [layer.kind, layer.pixels, layer.inputChannels, layer.channels, layer.network].join();
    const group = groups.get(key);
    if (group) group.push(layer);
    else groups.set(key, [layer]);
  }
  return [...groups.values()].map((group) => ({
    ...(group[0] as LayerLatency),
    milliseconds: median(group.map(({ milliseconds }) => milliseconds)),
  }));
}

/** Of an estimate: its error as a share of what was measured. */
export const errorOf = ({ estimated, measured }: HeldOut): number => estimated / measured - 1;
