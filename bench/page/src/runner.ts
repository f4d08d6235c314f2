// Measures, in a worker: the page stays free to scroll and to stop it.
import { detectFeatures, loadModel, UnsupportedModelError } from 'mobilenet-v3-wasm';
import { coldStart, sustain } from './heat';
import { measurePeers } from './peers';
import {
  type Device,
  driftOf,
  KERNELS,
  type Kernels,
  type NetworkName,
  type Peer,
  type Precision,
  type Profile,
  quantile,
  type Result,
  type Row,
  type Sustained,
  WARM_UP,
  type Way,
  wayName,
} from './result';

export type ToRunner =
  | {
      readonly kind: 'start';
      readonly base: string;
      readonly networks: readonly NetworkName[];
      readonly rounds: number;
      readonly everyWay: boolean;
      /** Seconds that each network runs in int8 without a pause; 0 for none. */
      readonly sustain: number;
      /** Whether LiteRT.js and tfjs may be loaded, and are measured. */
      readonly others: boolean;
      readonly name: string;
    }
  | { readonly kind: 'visible'; readonly visible: boolean }
  | { readonly kind: 'stop' };

export type FromRunner =
  | { readonly kind: 'status'; readonly text: string; readonly done: number; readonly all: number }
  | { readonly kind: 'checked'; readonly text: string; readonly right: boolean }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'result'; readonly result: Result }
  | { readonly kind: 'failed'; readonly text: string };

/** Rounds go on until medians agree this well, or there were twice as many as asked for. */
const STABLE = 0.03;
const LEAST_SAMPLES = 10;
const BLOCK_MILLISECONDS = 200;
/** Their rounds are five inferences each. */
const PEERS_ROUNDS = 4;
/** Of the standard deviation of the logits. */
const FLOAT_TOLERANCE = 1e-4;

const send = (message: FromRunner) => self.postMessage(message);

let visible = true;
let hiddenOnce = false;
let stopped = false;
let stop = new AbortController();
let wake: () => void = () => undefined;
const whenVisible = async () => {
  while (!visible && !stopped) await new Promise<void>((resolve) => (wake = resolve));
};

interface Collected extends Way {
  readonly times: number[];
  readonly rounds: number[];
  load: number;
  memoryBytes: number;
  chosen?: Kernels;
}

const rowOf = ({ times, rounds, ...rest }: Collected): Row => ({
  ...rest,
  median: quantile(times, 0.5),
  p10: quantile(times, 0.1),
  p90: quantile(times, 0.9),
  rounds,
  samples: times.length,
});

/** One thread, two, and as many as there are cores, where threads are to be had. */
function waysOf(networks: readonly NetworkName[], { features, cores }: Device): Way[] {
  const threads = features.threads ? [...new Set([1, 2, Math.min(cores, 4)])].filter((n) => n <= cores) : [1];
  const simds = features.relaxedSimd ? (['baseline', 'relaxed'] as const) : (['baseline'] as const);
  return networks.flatMap((network) =>
    threads.flatMap((n) =>
      simds.flatMap((simd) => (['float32', 'int8'] as const).map((precision) => ({ network, precision, simd, threads: n }))),
    ),
  );
}

const load = (bytes: Uint8Array, { precision, simd, threads, kernels }: Way) =>
  loadModel(bytes, { simd, threads, ...(kernels ? { kernels } : {}), ...(precision === 'float32' ? { precision } : {}) });

/** Every way to compute int8 that this engine has, on one thread, besides what a model chooses. */
async function withKernels(ways: readonly Way[], files: ReadonlyMap<NetworkName, Uint8Array>): Promise<Way[]> {
  const all = [...ways];
  for (const way of ways.filter(({ precision, threads }) => precision === 'int8' && threads === 1)) {
    for (const kernels of KERNELS) {
      try {
        (await load(files.get(way.network) as Uint8Array, { ...way, kernels })).dispose();
        all.push({ ...way, kernels });
      } catch (error) {
        if (!(error instanceof UnsupportedModelError)) throw error;
      }
    }
  }
  return all;
}

async function fetched(address: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} answered ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Whether every way gives what Node gives. */
async function check(ways: readonly Way[], files: ReadonlyMap<NetworkName, Uint8Array>, base: string): Promise<void> {
  const expected = JSON.parse(new TextDecoder().decode(await fetched(`${base}expected.json`))) as Record<
    NetworkName,
    Record<Precision, number[]>
  >;
  const sample = new Blob([await fetched(`${base}sample-0.png`)]);
  let largest = 0;
  for (const way of ways) {
    const model = await load(files.get(way.network) as Uint8Array, way);
    const logits = await model.logits(sample);
    model.dispose();
    const wanted = expected[way.network][way.precision];
    const mean = wanted.reduce((a, b) => a + b, 0) / wanted.length;
    const spread = Math.sqrt(wanted.reduce((sum, x) => sum + (x - mean) ** 2, 0) / wanted.length);
    const worst = wanted.reduce((most, x, i) => Math.max(most, Math.abs(x - (logits[i] as number))), 0) / spread;
    if (way.precision === 'int8' ? worst > 0 : !(worst < FLOAT_TOLERANCE)) {
      throw new Error(
        `${way.network} in ${wayName(way)} gives other logits than Node: off by ${worst} standard deviations. Nothing was timed.`,
      );
    }
    if (way.precision === 'float32') largest = Math.max(largest, worst);
  }
  const float = largest === 0 ? 'also' : `within ${largest.toExponential(0)} of their deviation`;
  send({ kind: 'checked', right: true, text: `The answers are right: int8 logits are bit for bit those of Node, float32 ${float}.` });
}

/** A block of inferences; undefined when the page went out of sight meanwhile. */
async function measure(
  bytes: Uint8Array,
  way: Way,
  input: Float32Array,
): Promise<{ times: number[]; load: number; memory: number; chosen: Kernels } | undefined> {
  await whenVisible();
  hiddenOnce ||= !visible;
  const begun = performance.now();
  const model = await load(bytes, way);
  const side = model.inputSize;
  const tensor = { data: input, shape: [1, side, side, 3] as const };
  await model.predict(tensor);
  const loaded = performance.now() - begun;
  for (let i = 0; i < WARM_UP; i++) await model.predict(tensor);
  const times: number[] = [];
  const start = performance.now();
  while (!stopped && visible && (times.length < LEAST_SAMPLES || performance.now() - start < BLOCK_MILLISECONDS)) {
    const at = performance.now();
    await model.predict(tensor);
    times.push(performance.now() - at);
    // Messages get through: stop, or out of sight.
    if (times.length % LEAST_SAMPLES === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  const memory = model.memory.totalBytes;
  const { kernels: chosen } = model.runtimeFeatures;
  model.dispose();
  return visible && times.length >= LEAST_SAMPLES ? { times, load: loaded, memory, chosen } : undefined;
}

const isStable = ({ rounds }: Collected) => {
  const [a, b] = rounds.slice(-2) as [number, number];
  return Math.abs(a - b) / a < STABLE;
};

async function profiles(networks: readonly NetworkName[], files: ReadonlyMap<NetworkName, Uint8Array>): Promise<Profile[]> {
  const result: Profile[] = [];
  for (const network of networks) {
    for (const precision of ['float32', 'int8'] as const) {
      const model = await load(files.get(network) as Uint8Array, { network, precision, simd: 'baseline', threads: 1 });
      const layers = (await model.profile()).map(({ name, kind, milliseconds, madds }) => ({ name, kind, milliseconds, madds }));
      model.dispose();
      result.push({ network, precision, layers });
    }
  }
  return result;
}

async function run({
  base,
  networks,
  rounds,
  everyWay,
  sustain: seconds,
  others,
  name,
}: Extract<ToRunner, { kind: 'start' }>): Promise<void> {
  const features = detectFeatures();
  const device: Device = { ...(name ? { name } : {}), userAgent: navigator.userAgent, cores: navigator.hardwareConcurrency ?? 1, features };
  const files = new Map<NetworkName, Uint8Array>();
  for (const network of networks) {
    send({ kind: 'status', text: `fetching ${network}`, done: 0, all: 1 });
    files.set(network, await fetched(`${base}${network}.int8.safetensors`));
  }
  const input = Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5);
  send({ kind: 'status', text: 'starting cold', done: 0, all: 1 });
  const cold = await coldStart(files, input);
  const usual = waysOf(networks, device);
  const ways = everyWay ? await withKernels(usual, files) : usual;
  send({ kind: 'status', text: 'checking the answers', done: 0, all: 1 });
  await check(ways, files, base);

  const collected = ways.map((way): Collected => ({ ...way, times: [], rounds: [], load: Number.POSITIVE_INFINITY, memoryBytes: 0 }));
  const failures: string[] = [];
  const failed = new Set<Collected>();
  const rows = () => collected.filter(({ rounds }) => rounds.length > 0).map(rowOf);
  for (let round = 0; round < rounds * 2 && !stopped; round++) {
    const open = collected.filter((way) => !failed.has(way) && (round < rounds || !isStable(way)));
    for (const [i, way] of open.entries()) {
      if (stopped) break;
      send({
        kind: 'status',
        text: `round ${round + 1}: ${way.network}, ${wayName(way)}`,
        done: round * ways.length + i,
        all: rounds * ways.length,
      });
      try {
        let block = await measure(files.get(way.network) as Uint8Array, way, input);
        while (!block && !stopped) block = await measure(files.get(way.network) as Uint8Array, way, input);
        if (!block) break;
        way.times.push(...block.times);
        way.rounds.push(quantile(block.times, 0.5));
        way.load = Math.min(way.load, block.load);
        way.memoryBytes = block.memory;
        if (way.precision === 'int8') way.chosen = block.chosen;
      } catch (error) {
        // Memory that cannot be had, a worker that died: the others go on.
        failed.add(way);
        failures.push(`${way.network}, ${wayName(way)}: ${(error as Error).message}`);
      }
      send({ kind: 'rows', rows: rows() });
    }
  }
  if (rows().length === 0) {
    send({
      kind: 'failed',
      text: failures.length > 0 ? `Nothing could be measured. ${failures.join(' ')}` : 'Stopped before anything was measured.',
    });
    return;
  }
  send({ kind: 'status', text: 'looking at the layers', done: 1, all: 1 });
  const layers = stopped ? [] : await profiles(networks, files);
  const sustained: Sustained[] = [];
  for (const [network, bytes] of seconds > 0 && !stopped ? files : []) {
    await whenVisible();
    const tell = (done: number) => send({ kind: 'status', text: `${network} in int8 without a pause`, done, all: seconds });
    const ran = stopped ? undefined : await sustain(network, bytes, input, seconds, () => !stopped && visible, tell);
    if (ran) sustained.push(ran);
  }
  let peers: Peer[] = [];
  if (others && !stopped) {
    peers = await measurePeers(
      { base, networks, rounds: rounds * PEERS_ROUNDS },
      (status) => send({ kind: 'status', ...status }),
      stop.signal,
    ).catch((error: Error) => {
      failures.push(`LiteRT.js and tfjs: ${error.message}`);
      return [];
    });
  }
  const done = rows();
  const result = { device, rows: done, cold, sustained, peers, profiles: layers, drift: driftOf(done), hidden: hiddenOnce, failures };
  send({ kind: 'result', result: { version: 1, date: new Date().toISOString(), ...result } });
}

self.onmessage = ({ data }: MessageEvent<ToRunner>) => {
  if (data.kind === 'start') {
    stopped = false;
    stop = new AbortController();
    hiddenOnce = false;
    run(data).catch((error: Error) => send({ kind: 'failed', text: error.message }));
    return;
  }
  if (data.kind === 'stop') {
    stopped = true;
    stop.abort();
  } else {
    visible = data.visible;
    hiddenOnce ||= !visible;
  }
  wake();
};
