import { throwIfAborted } from '../abort.js';
import { QuantizationError } from '../errors.js';
import type { Network } from '../graph/network.js';
import type { ModelInput } from '../inputs.js';
import { Session } from '../runtime/session.js';
import { floatNetwork } from './dequantize.js';
import { observeRanges, type Ranges } from './observe.js';
import { quantizeNetwork } from './quantize.js';
import { layersToKeep, type Probe } from './sensitivity.js';

export interface CalibrationOptions {
  readonly signal?: AbortSignal;
  /** Called after each calibration input. */
  readonly onProgress?: (inputs: number) => void;
}

/**
 * What calibration inputs make of a network's tensors: quantizeNetwork() turns it into int8, in as many ways as are wanted.
 */
export async function calibrate(
  { network, options: runtime }: Session,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: CalibrationOptions & { readonly histograms?: boolean; readonly onInput?: (probe: Probe) => void } = {},
): Promise<Ranges> {
  const observer = await Session.create(floatNetwork(network), { ...runtime, threads: 1 });
  const ranges: Ranges = new Map();
  let inputs = 0;
  try {
    for await (const input of calibration) {
      throwIfAborted(options.signal);
      const plan = observer.put(await observer.decode(input));
      const { height, width } = plan;
      options.onInput?.({ data: observer.input(plan).slice(), height, width });
      observeRanges(observer, plan, ranges, options.histograms);
      inputs++;
      options.onProgress?.(inputs);
    }
  } finally {
    observer.dispose();
  }
  if (inputs === 0) throw new QuantizationError('quantization needs at least one calibration input; got none.');
  return ranges;
}

/** What `quantize()` of the package takes. */
export interface QuantizeOptions extends CalibrationOptions {
  /** Convolutions, by name as profile() has them, that stay in float32. */
  readonly keepFloat?: readonly string[];
  /** Keep the most harmful layers in float32 until at most this share of calibration inputs changes its top-1. Holds those inputs in memory. */
  readonly maxDrop?: number;
}

/** The int8 network of a session's, by calibration. */
export async function quantizeSession(
  session: Session,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: QuantizeOptions = {},
): Promise<Network> {
  const { keepFloat = [], maxDrop } = options;
  if (maxDrop !== undefined && !(maxDrop >= 0 && maxDrop <= 1)) {
    throw new QuantizationError(`maxDrop must be a share from 0 to 1; got ${maxDrop}.`);
  }
  const network = floatNetwork(session.network);
  const unknown = keepFloat.find((name) => !network.weights.has(name));
  if (unknown !== undefined) {
    const layers = [...network.weights.keys()].join(', ');
    throw new QuantizationError(`keepFloat names "${unknown}", which is no layer of this network; its layers are ${layers}.`);
  }
  const probes: Probe[] = [];
  const onInput = maxDrop === undefined ? {} : { onInput: (probe: Probe) => void probes.push(probe) };
  const ranges = await calibrate(session, calibration, { ...options, ...onInput });
  const named = { keepFloat: new Set(keepFloat) };
  if (maxDrop === undefined) return quantizeNetwork(network, ranges, named);
  return quantizeNetwork(network, ranges, { keepFloat: await layersToKeep(network, ranges, probes, maxDrop, named) });
}
