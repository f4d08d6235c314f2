import type { ModelInput } from '../inputs.js';
import { type QuantizeOptions, quantizeSession } from '../quantization/calibrate.js';
import { floatNetwork } from '../quantization/dequantize.js';
import type { Ranges } from '../quantization/observe.js';
import { quantizeNetwork, type SchemeOptions } from '../quantization/quantize.js';
import { localModel, sessionOf } from './local-model.js';
import type { Model } from './model.js';

/** quantize() on the calling thread. */
export async function quantizeLocal(
  model: Model,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: QuantizeOptions = {},
): Promise<Model> {
  const session = sessionOf(model);
  return localModel(await quantizeSession(session, calibration, options), session.options);
}

/** A model as int8 by one scheme, from what calibrate() saw. */
export async function quantizeWith(model: Model, ranges: Ranges, options: SchemeOptions = {}): Promise<Model> {
  const { network, options: runtime } = sessionOf(model);
  return localModel(quantizeNetwork(floatNetwork(network), ranges, options), runtime);
}
