import { throwIfAborted } from '../abort.js';
import { QuantizationError } from '../errors.js';
import type { ModelInput } from '../inputs.js';
import { LocalModel } from '../model/local-model.js';
import type { QuantizeOptions } from '../model/model.js';
import { observeRanges, type Ranges } from './observe.js';
import { quantizeNetwork, type SchemeOptions } from './quantize.js';
import { layersToKeep, type Probe } from './sensitivity.js';

/**
 * What calibration inputs make of a model's tensors: quantizeWith() turns it into int8, in as many ways as are wanted.
 */
export async function calibrate(
  model: LocalModel,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: Pick<QuantizeOptions, 'signal' | 'onProgress'> & {
    readonly histograms?: boolean;
    readonly onInput?: (probe: Probe) => void;
  } = {},
): Promise<Ranges> {
  const observer = await LocalModel.create(model.floatNetwork(), { ...model.loadOptions, threads: 1 });
  const ranges: Ranges = new Map();
  let inputs = 0;
  try {
    for await (const input of calibration) {
      throwIfAborted(options.signal);
      const plan = observer.put(await observer.decode(input));
      const { height, width } = plan;
      options.onInput?.({ data: observer.runtime.input(plan).slice(), height, width });
      observeRanges(observer.runtime, plan, ranges, options.histograms);
      inputs++;
      options.onProgress?.(inputs);
    }
  } finally {
    observer.dispose();
  }
  if (inputs === 0) throw new QuantizationError('quantization needs at least one calibration input; none was given.');
  return ranges;
}

export async function quantizeWith(model: LocalModel, ranges: Ranges, options: SchemeOptions = {}): Promise<LocalModel> {
  return LocalModel.create(quantizeNetwork(model.floatNetwork(), ranges, options), model.loadOptions);
}

/** quantize() on the calling thread. */
export async function quantizeLocal(
  model: LocalModel,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: QuantizeOptions = {},
): Promise<LocalModel> {
  const { keepFloat = [], maxDrop } = options;
  if (maxDrop !== undefined && !(maxDrop >= 0 && maxDrop <= 1)) {
    throw new QuantizationError(`maxDrop is a share from 0 to 1, not ${maxDrop}.`);
  }
  const network = model.floatNetwork();
  const unknown = keepFloat.find((name) => !network.weights.has(name));
  if (unknown !== undefined) {
    throw new QuantizationError(`"${unknown}" is no layer of ${model.architecture}; layers are ${[...network.weights.keys()].join(', ')}.`);
  }
  const probes: Probe[] = [];
  const onInput = maxDrop === undefined ? {} : { onInput: (probe: Probe) => void probes.push(probe) };
  const ranges = await calibrate(model, calibration, { ...options, ...onInput });
  const named = { keepFloat: new Set(keepFloat) };
  if (maxDrop === undefined) return quantizeWith(model, ranges, named);
  return quantizeWith(model, ranges, { keepFloat: await layersToKeep(network, ranges, probes, maxDrop, named) });
}
