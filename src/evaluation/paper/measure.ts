import { throwIfAborted } from '../../abort.js';
import { fuse } from '../../graph/fusion.js';
import { type ConvNode, type Graph, isDepthwise, type Node } from '../../graph/graph.js';
import { type FloatWeights, IMAGENET_PREPROCESSING, type Network } from '../../graph/network.js';
import { summarize } from '../../graph/summary.js';
import type { Tensor } from '../../inputs.js';
import { calibrate } from '../../quantization/calibrate.js';
import { quantizeNetwork } from '../../quantization/quantize.js';
import { SCHEMES } from '../../quantization/schemes.js';
import { type LayerTiming, type RuntimeOptions, Session } from '../../runtime/session.js';
import { type Latency, quantiles } from '../metrics.js';
import { GROUPS, type GroupName, graphOf, idOf, type Subject } from './subjects.js';

export interface Measured {
  readonly id: string;
  readonly group: GroupName;
  readonly subject: Subject;
  readonly parameters: number;
  /** Filters and biases, as they are when batch norms are folded into them. */
  readonly foldedParameters: number;
  readonly madds: number;
  readonly milliseconds: Latency;
  /** Milliseconds by kind of layer, from the profile. */
  readonly kinds: Readonly<Record<string, number>>;
}

export interface MeasureOptions extends RuntimeOptions {
  /** Sessions that are open at once and take turns; 1 needs the least memory. */
  readonly together?: number;
  readonly rounds?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (id: string) => void;
}

const ROUNDS = 5;
/** Of a turn: enough for the network's own weights and code to be where they are in use. */
const WARM_UP = 2;
const LEAST_RUNS = 4;
const MOST_RUNS = 60;
const TURN_MILLISECONDS = 70;
/** int8 is calibrated on a small image: only the time is of interest. */
const CALIBRATION_SIDE = 96;

export const noise = (side: number): Tensor => ({
  data: Float32Array.from({ length: side * side * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5),
  shape: [1, side, side, 3],
});

/** A graph with pseudo-random weights whose activations neither die nor explode. */
export function withWeights(graph: Graph): Network {
  const weights = new Map<string, FloatWeights>();
  let state = 1;
  // A linear congruential generator: half a network's weights are millions.
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  };
  for (const node of graph.nodes) {
    if (node.kind !== 'conv') continue;
    const fanIn = node.kernel[0] * node.kernel[1] * (node.inputChannels / node.groups);
    const bound = Math.sqrt(6 / fanIn);
    const [filter, bias] = [new Float32Array(fanIn * node.channels), new Float32Array(node.channels)];
    for (let i = 0; i < filter.length; i++) filter[i] = bound * next();
    for (let c = 0; c < bias.length; c++) bias[c] = 0.1 + 0.3 * next();
    weights.set(node.name, { filter, bias });
  }
  return { graph, weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING };
}

/** A float network as integers whose values nobody looks at. */
export async function inLanes(network: Network): Promise<Network> {
  const session = await Session.create(network, { simd: 'baseline', threads: 1 });
  try {
    const { ranges } = await calibrate(session, [noise(CALIBRATION_SIDE)]);
    return quantizeNetwork(session.network, ranges, { scheme: SCHEMES.wide });
  } finally {
    session.dispose();
  }
}

async function open(subject: Subject, options: RuntimeOptions): Promise<Session> {
  const graph = graphOf(subject);
  const float = subject.unfused ? withWeights(graph) : fuse(withWeights(graph));
  const { simd, threads, kernels } = options;
  const runtime = { ...(simd ? { simd } : {}), ...(threads ? { threads } : {}), ...(kernels ? { kernels } : {}) };
  return Session.create(subject.precision === 'int8' ? await inLanes(float) : float, runtime);
}

/** Runs a session for a while; milliseconds of each inference after the first ones. */
function turn(session: Session, input: Tensor, warmUp: number): number[] {
  const times: number[] = [];
  for (let run = -warmUp, spent = 0; run < LEAST_RUNS || (spent < TURN_MILLISECONDS && run < MOST_RUNS); run++) {
    const start = performance.now();
    session.infer(() => session.put(input));
    const time = performance.now() - start;
    if (run < 0) continue;
    times.push(time);
    spent += time;
  }
  return times;
}

/** What profile() calls a layer, with the size of a depthwise kernel, which decides how fast it is. */
export function kindOf({ name, kind }: Pick<LayerTiming, 'name' | 'kind'>, nodes: ReadonlyMap<string, Node>): string {
  if (kind === 'quantize' || kind === 'dequantize') return 'conversion';
  if (/\.(squeeze|reduce|excite|gate)(\.|$)/.test(name)) return 'squeeze-excite';
  const node = nodes.get(name);
  if (node?.kind !== 'conv') return kind;
  if (isDepthwise(node)) return `depthwise ${node.kernel.join('x')}`;
  if (node.kernel[0] > 1) return 'stem';
  return isTail(node) ? 'fully connected' : 'pointwise';
}

const isTail = ({ name }: ConvNode) => name === 'features' || name === 'classifier';

function result(group: GroupName, subject: Subject, session: Session, times: readonly number[]): Measured {
  const graph = graphOf(subject);
  const { parameters, madds } = summarize(graph);
  const nodes = new Map(graph.nodes.map((node) => [node.name, node]));
  const normed = graph.nodes.reduce((sum, node) => sum + (node.kind === 'conv' && node.batchNorm ? node.channels : 0), 0);
  const kinds: Record<string, number> = {};
  const input = noise(subject.resolution);
  const layers = session.profile(() => session.put(input));
  for (const layer of layers) {
    const kind = kindOf(layer, nodes);
    kinds[kind] = (kinds[kind] ?? 0) + layer.milliseconds;
  }
  return {
    id: idOf(subject),
    group,
    subject,
    parameters,
    foldedParameters: parameters - normed,
    madds,
    milliseconds: quantiles([...times]),
    kinds,
  };
}

/** Measures a group in turn, round by round, so that what slows the machine down for a while slows down all of it. */
export async function measureGroup(name: GroupName, options: MeasureOptions = {}): Promise<Measured[]> {
  const subjects = GROUPS[name];
  const { rounds = ROUNDS, together = subjects.length, signal, onProgress } = options;
  const results: Measured[] = [];
  for (let from = 0; from < subjects.length; from += together) {
    const group = subjects.slice(from, from + together);
    const sessions: Session[] = [];
    try {
      for (const each of group) {
        throwIfAborted(signal);
        sessions.push(await open(each, options));
        onProgress?.(idOf(each));
      }
      const times = group.map(() => [] as number[]);
      for (let round = 0; round < rounds; round++) {
        for (const [i, session] of sessions.entries()) {
          // An int8 session chooses its way after some inferences, and that is no part of a first turn.
          times[i]?.push(...turn(session, noise(group[i]?.resolution as number), round === 0 ? 10 : WARM_UP));
          await new Promise<void>((resolve) => setTimeout(resolve));
          throwIfAborted(signal);
        }
      }
      for (const [i, session] of sessions.entries()) results.push(result(name, group[i] as Subject, session, times[i] as number[]));
    } finally {
      for (const session of sessions) session.dispose();
    }
  }
  return results;
}
