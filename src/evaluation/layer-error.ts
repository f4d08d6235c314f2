import { throwIfAborted } from '../abort.js';
import { INPUT } from '../graph/graph.js';
import { scaleOf } from '../graph/lanes.js';
import type { ModelInput } from '../inputs.js';
import { sessionOf } from '../model/local-model.js';
import type { Model } from '../model/model.js';
import type { TensorView } from '../runtime/tensors.js';

export interface LayerError {
  readonly name: string;
  /** Signal over noise of the layer's output against float, in decibels: what has piled up until there. */
  readonly sqnrDb: number;
}

/** A tensor's real values in NHWC order, whatever domain and layout it has. */
export function readTensor(tensor: TensorView, memory: WebAssembly.Memory): Float32Array {
  const [height, width, channels] = tensor.shape;
  const values = new Float32Array(height * width * channels);
  const { lanes } = tensor;
  const source = lanes ? new Int16Array(memory.buffer) : new Float32Array(memory.buffer);
  const bytes = source.BYTES_PER_ELEMENT;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (tensor.pointer + y * tensor.rowStride + x * tensor.pixelStride) / bytes;
      for (let c = 0; c < channels; c++, i++) values[i] = (source[at + c] as number) * (lanes ? scaleOf(lanes, c) : 1);
    }
  }
  return values;
}

async function outputs(model: Model, input: ModelInput): Promise<Map<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  const session = sessionOf(model);
  session.observe(session.put(await session.decode(input)), (tensor, memory) => values.set(tensor.name, readTensor(tensor, memory)));
  values.delete(INPUT);
  return values;
}

/**
 * How far each layer of a quantized model is from its float reference, over a few images. Both must run on the calling thread.
 *
 * @param inputs images, or tensors [1, h, w, 3]
 * @returns decibels, layer by layer in the order in which they run
 * @throws InputError for a model in a worker, AbortError, DisposedError
 * @example
 * const worst = (await layerErrors(float, int8, images)).sort((a, b) => a.sqnrDb - b.sqnrDb)[0];
 */
export async function layerErrors(
  reference: Model,
  candidate: Model,
  inputs: readonly ModelInput[],
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<LayerError[]> {
  const sums = new Map<string, { signal: number; noise: number }>();
  for (const input of inputs) {
    throwIfAborted(signal);
    const expected = await outputs(reference, input);
    const actual = await outputs(candidate, input);
    for (const [name, values] of expected) {
      const others = actual.get(name);
      if (!others) continue;
      const sum = sums.get(name) ?? { signal: 0, noise: 0 };
      for (let i = 0; i < values.length; i++) {
        sum.signal += (values[i] as number) ** 2;
        sum.noise += ((values[i] as number) - (others[i] as number)) ** 2;
      }
      sums.set(name, sum);
    }
  }
  // A layer that is all zeros, or exact, has no finite ratio and nothing to show.
  return [...sums].flatMap(([name, { signal, noise }]) =>
    signal > 0 && noise > 0 ? [{ name, sqnrDb: 10 * Math.log10(signal / noise) }] : [],
  );
}
