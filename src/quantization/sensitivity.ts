import type { Network } from '../graph/network.js';
import { type RuntimeOptions, Session } from '../runtime/session.js';
import { Divergence } from './divergence.js';
import type { Ranges } from './observe.js';
import type { Probe } from './probe.js';
import { quantizeNetwork, type SchemeOptions } from './quantize.js';

/** What quantizing one layer alone does to the logits. */
export interface Sensitivity {
  readonly name: string;
  /** Signal over noise of the logits, in decibels; infinite where nothing changes. */
  readonly sqnrDb: number;
  /** The share of inputs whose top-1 stays. */
  readonly agreement: number;
}

function logitsOf(session: Session, probes: readonly Probe[]): Float32Array[] {
  return probes.map(({ data, height, width }) => {
    const plan = session.infer(() => session.put({ data, shape: [1, height, width, 3] }));
    return session.output(plan.results.logits ?? plan.results.embedding).slice();
  });
}

function divergence(expected: readonly Float32Array[], actual: readonly Float32Array[]): Omit<Sensitivity, 'name'> {
  const all = new Divergence();
  expected.forEach((logits, i) => {
    all.add(logits, actual[i] as Float32Array);
  });
  const { sqnrDb, agreement } = all;
  return { sqnrDb, agreement };
}

async function logitsWith(network: Network, probes: readonly Probe[], runtime: RuntimeOptions): Promise<Float32Array[]> {
  const session = await Session.create(network, runtime);
  const logits = logitsOf(session, probes);
  session.dispose();
  return logits;
}

/** Each convolution quantized alone, all others in float32, the most harmful first. */
export async function sensitivities(
  network: Network,
  ranges: Ranges,
  probes: readonly Probe[],
  options: SchemeOptions & { readonly runtime?: RuntimeOptions; readonly onProgress?: (done: number, of: number) => void } = {},
): Promise<Sensitivity[]> {
  const { runtime = {}, onProgress, ...scheme } = options;
  const expected = await logitsWith(network, probes, runtime);
  const names = network.graph.nodes.filter((node) => node.kind === 'conv').map((node) => node.name);
  const result: Sensitivity[] = [];
  for (const name of names) {
    const keepFloat = new Set(names.filter((other) => other !== name));
    const only = quantizeNetwork(network, ranges, { ...scheme, keepFloat });
    result.push({ name, ...divergence(expected, await logitsWith(only, probes, runtime)) });
    onProgress?.(result.length, names.length);
  }
  return result.sort((a, b) => a.sqnrDb - b.sqnrDb);
}

/**
 * Which layers to keep in float32 so that at most `maxDrop` of the probes change their top-1: the most harmful ones,
 * twice as many in each step, until it holds.
 */
export async function layersToKeep(
  network: Network,
  ranges: Ranges,
  probes: readonly Probe[],
  maxDrop: number,
  options: SchemeOptions & { readonly runtime?: RuntimeOptions },
): Promise<ReadonlySet<string>> {
  const { runtime = {}, ...scheme } = options;
  const expected = await logitsWith(network, probes, runtime);
  let keep: ReadonlySet<string> = scheme.keepFloat ?? new Set();
  let order: readonly string[] | undefined;
  for (let more = 1; ; more *= 2) {
    const candidate = quantizeNetwork(network, ranges, { ...scheme, keepFloat: keep });
    const { agreement } = divergence(expected, await logitsWith(candidate, probes, runtime));
    if (1 - agreement <= maxDrop) return keep;
    order ??= (await sensitivities(network, ranges, probes, options)).map(({ name }) => name);
    if (keep.size >= order.length) return keep;
    keep = new Set([...keep, ...order.filter((name) => !keep.has(name)).slice(0, more)]);
  }
}
