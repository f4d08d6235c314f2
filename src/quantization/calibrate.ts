import { throwIfAborted } from '../abort.js';
import { QuantizationError } from '../errors.js';
import { INPUT } from '../graph/graph.js';
import type { Network } from '../graph/network.js';
import type { ModelInput } from '../inputs.js';
import { Session } from '../runtime/session.js';
import { floatNetwork } from './dequantize.js';
import type { RoundedWeights } from './filters.js';
import { cheapest, type Frontier, frontier } from './frontier.js';
import { type Calibration, observeRanges, type Ranges } from './observe.js';
import type { Probe } from './probe.js';
import { quantizeNetwork } from './quantize.js';
import { type RefineOptions, roundedWeights } from './refine.js';
import { SCHEMES, type Scheme } from './schemes.js';
import { layersToKeep } from './sensitivity.js';
import { tensorCosts } from './tensor-costs.js';

export interface CalibrationOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each calibration input and then, while layers are rounded, with how many of how many are. */
  readonly onProgress?: (inputs: number, layers?: number, ofLayers?: number) => void;
}

/** Values of inputs that are kept: about 130 images of 224x224. */
const MOST_KEPT = 2e7;

/**
 * What calibration inputs make of a network's tensors: quantizeNetwork() turns it into int8, in as many ways as are wanted.
 */
export async function calibrate(
  { network }: Session,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: CalibrationOptions & { readonly histograms?: boolean } = {},
): Promise<Calibration> {
  // Baseline: the same bits on every machine.
  const observer = await Session.create(floatNetwork(network), { simd: 'baseline', threads: 1 });
  const ranges: Ranges = new Map();
  const kept = new Kept();
  try {
    for await (const input of calibration) {
      throwIfAborted(options.signal);
      const plan = observer.put(await observer.decode(input));
      const { height, width } = plan;
      kept.add({ data: observer.input(plan).slice(), height, width });
      observeRanges(observer, plan, ranges, options.histograms);
      options.onProgress?.(kept.seen);
    }
  } finally {
    observer.dispose();
  }
  if (kept.seen === 0) throw new QuantizationError('quantization needs at least one calibration input; got none.');
  return { ranges, inputs: kept.inputs };
}

/** Every input, then every other one, every fourth ...: memory does not grow with their number. */
class Kept {
  inputs: Probe[] = [];
  seen = 0;
  private every = 1;
  private values = 0;

  add(probe: Probe): void {
    if (this.seen++ % this.every !== 0) return;
    this.inputs.push(probe);
    this.values += probe.data.length;
    if (this.values <= MOST_KEPT || this.inputs.length === 1) return;
    this.every *= 2;
    this.inputs = this.inputs.filter((_, i) => i % 2 === 0);
    this.values = this.inputs.reduce((sum, { data }) => sum + data.length, 0);
  }
}

/** What `quantize()` of the package takes. */
export interface QuantizeOptions extends CalibrationOptions {
  /** Convolutions, by name as profile() has them, that stay in float32. */
  readonly keepFloat?: readonly string[];
  /** Keep the most harmful layers in float32 until at most this share of calibration inputs changes its top-1. Holds those inputs in memory. */
  readonly maxDrop?: number;
  /**
   * Bits of activations. 16, where it is left out, cost nothing on x86; 8 are what other runtimes and processors for
   * neural networks have, and half the work where sums are computed in planes of bytes.
   */
  readonly activations?: 8 | 16;
  /**
   * 'output', the default, rounds filters for the least error of each layer's output: tens of seconds for a network. 'nearest' rounds
   * each weight by itself: a second or two, and 3 dB less.
   */
  readonly rounding?: 'output' | 'nearest';
  /** Tensors, by the name of the layer that makes them, that keep 16 bits where activations have 8. */
  readonly wide?: readonly string[];
  /**
   * With activations of 8 bits: the share of images, from 0 to 1, that are to keep their class. Further tensors get 16 bits until
   * calibration says that they will; of all ways to do so, the one that is estimated to be the fastest on a phone.
   */
  readonly budget?: number;
  /** With a budget: the frontier, and what was chosen of it. Not called where the model is in a worker. */
  readonly onFrontier?: (frontier: Frontier) => void;
}

/** The layers that a scheme rounds for their outputs' sake: all or none. */
export async function roundedBy(
  network: Network,
  { ranges, inputs }: Calibration,
  scheme: Scheme,
  options: RefineOptions = {},
): Promise<ReadonlyMap<string, RoundedWeights>> {
  if (!scheme.compensated) return new Map();
  return roundedWeights(network, ranges, inputs, scheme, options);
}

/** The scheme with 16 bits for what is to have them by name, and for what a budget needs. */
async function withinBudget(
  network: Network,
  calibration: Calibration,
  scheme: Scheme,
  { wide = [], budget, signal, onFrontier }: QuantizeOptions,
): Promise<Scheme> {
  const given: Scheme = { ...scheme, wide: new Set(wide) };
  if (budget === undefined) return given;
  const costs = await tensorCosts(network, calibration, given, { signal });
  const points = frontier(costs);
  const chosen = cheapest(points, budget);
  onFrontier?.({ ...costs, points, chosen });
  return { ...scheme, wide: new Set([...wide, ...chosen.wide]) };
}

/** The int8 network of a session's, by calibration. */
export async function quantizeSession(
  session: Session,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: QuantizeOptions = {},
): Promise<Network> {
  const { maxDrop, activations = 16, rounding = 'output', budget, signal, onProgress } = options;
  const keepFloat = new Set(options.keepFloat);
  if (maxDrop !== undefined && !(maxDrop >= 0 && maxDrop <= 1)) {
    throw new QuantizationError(`maxDrop must be a share from 0 to 1; got ${maxDrop}.`);
  }
  if (activations !== 8 && activations !== 16) throw new QuantizationError(`activations must be 8 or 16; got ${activations}.`);
  if (rounding !== 'output' && rounding !== 'nearest')
    throw new QuantizationError(`rounding must be 'output' or 'nearest'; got ${rounding}.`);
  if (budget !== undefined && !(budget >= 0 && budget <= 1))
    throw new QuantizationError(`budget must be a share from 0 to 1; got ${budget}.`);
  if (budget !== undefined && activations !== 8)
    throw new QuantizationError('budget chooses between 8 and 16 bits; it needs activations: 8.');
  const network = floatNetwork(session.network);
  const missing = options.wide?.find((name) => name !== INPUT && !network.graph.nodes.some((node) => node.name === name));
  if (missing !== undefined) throw new QuantizationError(`wide names "${missing}", which no layer of this network makes.`);
  const unknown = [...keepFloat].find((name) => !network.weights.has(name));
  if (unknown !== undefined) {
    const layers = [...network.weights.keys()].join(', ');
    throw new QuantizationError(`keepFloat names "${unknown}", which is no layer of this network; its layers are ${layers}.`);
  }
  let seen = 0;
  const onInput = (inputs: number) => {
    seen = inputs;
    onProgress?.(inputs);
  };
  const calibrated = await calibrate(session, calibration, { signal, onProgress: onInput, histograms: activations === 8 });
  const onLayer = (done: number, of: number) => onProgress?.(seen, done, of);
  const compensated = rounding === 'output';
  const scheme: Scheme =
    activations === 16
      ? { ...SCHEMES.best, compensated }
      : await withinBudget(network, calibrated, { ...SCHEMES.eight, compensated }, options);
  const rounded = await roundedBy(network, calibrated, scheme, { keepFloat, signal, onLayer });
  const { ranges, inputs } = calibrated;
  const chosen = { scheme, keepFloat, rounded };
  if (maxDrop === undefined) return quantizeNetwork(network, ranges, chosen);
  return quantizeNetwork(network, ranges, { ...chosen, keepFloat: await layersToKeep(network, ranges, inputs, maxDrop, chosen) });
}
