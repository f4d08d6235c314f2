import type { Features, RuntimeFeatures } from 'mobilenet-v3-wasm';

export type NetworkName = 'mobilenet_v3_small' | 'mobilenet_v3_large';
export type Precision = 'float32' | 'int8';
export type Simd = 'baseline' | 'relaxed';
/** How int8 is computed: loadModel's option `kernels`, and what a model says of itself. */
export type Kernels = RuntimeFeatures['kernels'];

/** Behind these inferences, a model has chosen how to compute int8. */
export const WARM_UP = 8;

/** One way to run a network. */
export interface Way {
  readonly network: NetworkName;
  readonly precision: Precision;
  readonly simd: Simd;
  readonly threads: number;
  /** The way to compute int8 that was asked for; undefined: the model chose. */
  readonly kernels?: Kernels;
}

/** What one way took, over several rounds; milliseconds. */
export interface Row extends Way {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  /** The median of each round. */
  readonly rounds: readonly number[];
  readonly samples: number;
  /** From bytes in memory to the first logits. */
  readonly load: number;
  readonly memoryBytes: number;
  /** How int8 was computed in the end. */
  readonly chosen?: Kernels;
}

export interface LayerTime {
  readonly name: string;
  readonly kind: string;
  readonly milliseconds: number;
  readonly madds: number;
}

export interface Profile {
  readonly network: NetworkName;
  readonly precision: Precision;
  readonly layers: readonly LayerTime[];
}

/** The first load of a network in its worker: nothing was compiled before. */
export interface Cold {
  readonly network: NetworkName;
  readonly precision: Precision;
  /** From bytes in memory to the first logits. */
  readonly milliseconds: number;
}

/** Inferences one after the other, without a pause. */
export interface Sustained {
  readonly network: NetworkName;
  readonly precision: Precision;
  readonly seconds: number;
  readonly inferences: number;
  /** p90 of the last ten seconds over p90 of the first ten: what heat does. */
  readonly ratio: number;
}

/** What bench/page/peers.mjs measured: one of the contenders on one network, each on one thread, in turns. */
export interface Peer {
  readonly network: NetworkName;
  readonly precision: Precision;
  readonly name: string;
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

export interface Device {
  /** As its owner calls it. */
  readonly name?: string;
  readonly userAgent: string;
  readonly cores: number;
  readonly features: Features;
}

export interface Result {
  readonly version: 1;
  /** ISO 8601 */
  readonly date: string;
  readonly device: Device;
  readonly rows: readonly Row[];
  readonly profiles: readonly Profile[];
  readonly cold?: readonly Cold[];
  readonly sustained?: readonly Sustained[];
  readonly peers?: readonly Peer[];
  /** How much slower the last round was than the first, as a share, over all ways. */
  readonly drift: number;
  /** Whether the page was out of sight at times; what was measured meanwhile is left out. */
  readonly hidden: boolean;
  readonly failures: readonly string[];
}

export const wayName = ({ precision, simd, threads, kernels }: Omit<Way, 'network'>) =>
  `${precision}, ${kernels ? `${kernels}, ` : ''}${simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD'}, ${threads} thread${threads > 1 ? 's' : ''}`;

export const sameWay = (a: Way, b: Way) =>
  a.network === b.network && a.precision === b.precision && a.simd === b.simd && a.threads === b.threads && a.kernels === b.kernels;

export const networkTitle = (network: NetworkName) => (network === 'mobilenet_v3_small' ? 'MobileNetV3-Small' : 'MobileNetV3-Large');

export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

const geometricMean = (values: readonly number[]) => Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length);

/** Last round against first: what throttling by heat looks like. */
export function driftOf(rows: readonly Pick<Row, 'rounds'>[]): number {
  const ratios = rows.filter(({ rounds }) => rounds.length > 1).map(({ rounds }) => (rounds.at(-1) as number) / (rounds[0] as number));
  return ratios.length > 0 ? geometricMean(ratios) - 1 : 0;
}

/** How many times as fast int8 is as float32, all else alike. */
export function int8Ratio(rows: readonly Row[], network: NetworkName): number | undefined {
  const ratios = rows
    .filter((row) => row.network === network && row.precision === 'int8' && !row.kernels)
    .flatMap((row) => {
      const float = rows.find((other) => sameWay(other, { ...row, precision: 'float32' }));
      return float ? [float.median / row.median] : [];
    });
  return ratios.length > 0 ? geometricMean(ratios) : undefined;
}

export function toCsv({ rows, device, date }: Result): string {
  const quoted = (value: string | number) => (typeof value === 'number' ? String(value) : `"${value.replaceAll('"', '""')}"`);
  const header = 'date,user_agent,network,precision,simd,threads,kernels,median_ms,p10_ms,p90_ms,samples,rounds,load_ms,memory_bytes';
  const lines = rows.map((row) =>
    [
      ...[date, device.userAgent, row.network, row.precision, row.simd, row.threads, row.chosen ?? ''],
      ...[row.median, row.p10, row.p90, row.samples],
      ...[row.rounds.length, row.load, row.memoryBytes],
    ].map(quoted),
  );
  return [header, ...lines.map((line) => line.join(','))].join('\r\n');
}

async function through(stream: CompressionStream | DecompressionStream, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** A result as the fragment of a link: it stays with who has the link, no server sees it. */
export async function toFragment(result: Result): Promise<string> {
  const round = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(4)) : value);
  // Layers are the bulk of a result, and can be had again.
  const text = JSON.stringify({ ...result, profiles: [] }, round);
  const bytes = await through(new CompressionStream('gzip'), new TextEncoder().encode(text));
  const base64 = btoa(String.fromCharCode(...bytes));
  return `r=${base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

const LONGEST_FRAGMENT = 100_000;

/** Undefined for a fragment that holds no result, also for one that was cut on its way. */
export async function fromFragment(fragment: string): Promise<Result | undefined> {
  const text = /^#?r=([\w-]+)$/.exec(fragment)?.[1];
  if (!text || text.length > LONGEST_FRAGMENT) return undefined;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    return checkResult(JSON.parse(new TextDecoder().decode(await through(new DecompressionStream('gzip'), bytes))));
  } catch {
    return undefined;
  }
}

export const KERNELS: readonly Kernels[] = ['pairs', 'products', 'planes'];

const isRow = (row: Partial<Row> | null): row is Row =>
  typeof row === 'object' &&
  row !== null &&
  (row.network === 'mobilenet_v3_small' || row.network === 'mobilenet_v3_large') &&
  (row.precision === 'float32' || row.precision === 'int8') &&
  (row.simd === 'baseline' || row.simd === 'relaxed') &&
  [row.threads, row.median, row.p10, row.p90, row.samples, row.load, row.memoryBytes].every((x) => typeof x === 'number' && x >= 0) &&
  [row.kernels, row.chosen].every((kernels) => kernels === undefined || KERNELS.includes(kernels)) &&
  Array.isArray(row.rounds);

export const LONGEST_NAME = 60;
const isName = (name: unknown) => name === undefined || (typeof name === 'string' && name.length <= LONGEST_NAME);
const areNumbers = (values: readonly unknown[]) => values.every((value) => typeof value === 'number' && value >= 0);
const isOfNetwork = (value: { readonly network?: unknown; readonly precision?: unknown } | null): boolean =>
  (value?.network === 'mobilenet_v3_small' || value?.network === 'mobilenet_v3_large') &&
  (value.precision === 'float32' || value.precision === 'int8');

/** The browser and its version, of a user agent; the whole of it where it names none that is known. */
export function browserOf(userAgent: string): string {
  const known = [/(Edg|OPR|SamsungBrowser|Firefox|FxiOS|CriOS|Chrome)\/(\d+)/, /(Version)\/([\d.]+) (?:Mobile\/\w+ )?Safari/];
  const [, name, version] = known.map((pattern) => pattern.exec(userAgent)).find(Boolean) ?? [];
  return name ? `${name === 'Version' ? 'Safari' : name} ${version}` : userAgent;
}

/** A result from outside, or undefined. */
export function checkResult(value: unknown): Result | undefined {
  const result = value as Partial<Result> | null;
  if (typeof result !== 'object' || result?.version !== 1 || typeof result.date !== 'string') return undefined;
  if (typeof result.device?.userAgent !== 'string' || !Array.isArray(result.rows) || !result.rows.every(isRow)) return undefined;
  const { cold = [], sustained = [], peers = [] } = result;
  if (!isName(result.device.name) || ![cold, sustained, peers].every(Array.isArray)) return undefined;
  if (!cold.every((entry) => isOfNetwork(entry) && areNumbers([entry.milliseconds]))) return undefined;
  if (!sustained.every((entry) => isOfNetwork(entry) && areNumbers([entry.seconds, entry.inferences, entry.ratio]))) return undefined;
  if (!peers.every((entry) => isOfNetwork(entry) && isName(entry.name) && areNumbers([entry.median, entry.p10, entry.p90])))
    return undefined;
  const { profiles = [], drift = 0, hidden = false, failures = [] } = result;
  return { ...(result as Result), profiles, drift, hidden, failures, cold, sustained, peers };
}
