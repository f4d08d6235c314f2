import type { ModelInput, ModelSource } from './inputs.js';
import { loadLocalModel } from './model/local-model.js';
import type { LoadOptions, Model } from './model/model.js';
import type { QuantizeOptions } from './quantization/calibrate.js';

/**
 * Loads a network from a weights file: safetensors or PyTorch with torchvision's or timm's names, Keras, TensorFlow.js, ONNX,
 * .tflite, or this package's own safetensors. The format is told by the bytes, the network by its tensors.
 *
 * @param source a path (Node), a URL, `hf:owner/repository`, bytes, a Blob, or all files of a model
 * @throws ModelFormatError for a file that is damaged or not a model, UnsupportedModelError for a network outside the family or an
 * engine that lacks what is asked for, InputError for a source that cannot be read or an option out of range, AbortError,
 * OutOfMemoryError
 * @example
 * const model = await loadModel('/models/mobilenet_v3_small.safetensors', { worker: true });
 * const [best] = await model.classify(document.querySelector('img'));
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  const { worker, compiled, ...wanted } = options;
  const rest = compiled ? { ...wanted, ...(await import('./engine/compiled.js')).adoptCompiled(compiled, wanted.simd) } : wanted;
  if (!worker) return loadLocalModel(source, rest);
  const { loadRemoteModel } = await import('./worker/remote-model.js');
  return (await loadRemoteModel(source, rest, worker)) ?? loadLocalModel(source, rest);
}

/**
 * Quantizes a model to int8: weights with a scale a channel, activations by the ranges that `calibration` shows. No
 * labels are needed; 16 to 100 typical inputs are enough. The same inputs give the same bytes.
 *
 * @param calibration images, or normalised tensors [1, h, w, 3]
 * @returns a new model, where the given one runs; both must be disposed
 * @throws QuantizationError when calibration is empty or holds values that are not finite, or when a layer to keep does not exist;
 * AbortError, DisposedError
 * @example
 * const int8 = await quantize(model, ['a.jpg', 'b.jpg']);
 * const bytes = int8.save(); // loadModel() reads it
 */
export async function quantize(
  model: Model,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: QuantizeOptions = {},
): Promise<Model> {
  // Most pages run what was quantized elsewhere: they need not carry this.
  if (!model.runtimeFeatures.worker) {
    const { quantizeLocal } = await import('./model/quantize.js');
    return quantizeLocal(model, calibration, options);
  }
  const { quantizeRemote } = await import('./worker/remote-model.js');
  return quantizeRemote(model, calibration, options);
}
