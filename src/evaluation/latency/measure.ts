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
  readonly signal?: AbortSignal;
  readonly onProgress?: () => void;
}

const WARM_UP = 6;
const RUNS = 15;
const PROFILES = 21;

const graphOf = ({ architecture, width, resolution }: Probe): Graph => buildGraph(architecture, { width, resolution });

async function withSession<T>(graph: Graph, options: RuntimeOptions, use: (session: Session) => T): Promise<T> {
  const { simd, threads } = options;
  const session = await Session.create(fuse(withWeights(graph)), { ...(simd ? { simd } : {}), ...(threads ? { threads } : {}) });
  try {
    return use(session);
  } finally {
    session.dispose();
  }
}

/** The median of a run. */
function whole(session: Session, side: number): number {
  const input = noise(side);
  const times: number[] = [];
  for (let run = -WARM_UP; run < RUNS; run++) {
    const start = performance.now();
    session.infer(() => session.put(input));
    if (run >= 0) times.push(performance.now() - start);
  }
  return quantiles(times).median;
}

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

/** Measures the table: each layer where it is in use, in a network, with its neighbours' data in the caches. */
export async function measureTable(machine: string, options: TableOptions = {}): Promise<LatencyTable> {
  const layers: LayerLatency[] = [];
  const blocks = new Map<string, BlockLatency>();
  const runs: Run[] = [];
  for (const probe of PROBES) {
    throwIfAborted(options.signal);
    const graph = graphOf(probe);
    await withSession(graph, options, (session) => {
      const run = whole(session, probe.resolution);
      const profile = session.profile(() => session.put(noise(probe.resolution)), PROFILES);
      const times = new Map(profile.map(({ name, milliseconds }) => [name, Math.max(milliseconds, LEAST_MILLISECONDS)]));
      runs.push({ run, sum: [...times.values()].reduce((sum, time) => sum + time, 0), layers: times.size });
      for (const { name, ...shape } of layersOf(graph)) layers.push({ ...shape, milliseconds: times.get(name) as number });
      for (const block of blocksOf(`${probe.architecture} ${probe.width} ${probe.resolution}`, graph, times))
        if (!blocks.has(shapeOf(block))) blocks.set(shapeOf(block), block);
    });
    options.onProgress?.();
    await new Promise<void>((resolve) => setTimeout(resolve));
  }
  return {
    version: 1,
    date: new Date().toISOString().slice(0, 10),
    machine,
    whole: fitWhole(runs),
    layers: merged(layers),
    blocks: [...blocks.values()],
  };
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
    const key = [layer.kind, layer.pixels, layer.inputChannels, layer.channels].join();
    const group = groups.get(key);
    if (group) group.push(layer);
    else groups.set(key, [layer]);
  }
  return [...groups.values()].map((group) => ({
    ...(group[0] as LayerLatency),
    milliseconds: quantiles(group.map(({ milliseconds }) => milliseconds)).median,
  }));
}

/** Measures the networks that are held out, and estimates them. */
export async function checkTable(table: LatencyTable, options: TableOptions = {}): Promise<HeldOut[]> {
  const rows: HeldOut[] = [];
  for (const probe of HELD_OUT) {
    throwIfAborted(options.signal);
    const graph = graphOf(probe);
    const measured = await withSession(graph, options, (session) => whole(session, probe.resolution));
    rows.push({ ...probe, measured, estimated: estimateGraph(graph, table).milliseconds });
    options.onProgress?.();
  }
  return rows;
}

/** Of an estimate: its error as a share of what was measured. */
export const errorOf = ({ estimated, measured }: HeldOut): number => estimated / measured - 1;
