import type { ModelInput } from '../inputs.js';
import { type QuantizeOptions, quantizeSession, roundedBy } from '../quantization/calibrate.js';
import { floatNetwork } from '../quantization/dequantize.js';
import type { Calibration } from '../quantization/observe.js';
import { quantizeNetwork } from '../quantization/quantize.js';
import type { Scheme } from '../quantization/schemes.js';
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
export async function quantizeWith(model: Model, seen: Calibration, scheme: Scheme): Promise<Model> {
  const { options: runtime, network: given } = sessionOf(model);
  const network = floatNetwork(given);
  const rounded = await roundedBy(network, seen, scheme);
  return localModel(quantizeNetwork(network, seen.ranges, { scheme, rounded }), runtime);
}
