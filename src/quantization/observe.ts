import { QuantizationError } from '../errors.js';
import { INPUT } from '../graph/graph.js';
import type { Executor } from '../runtime/executor.js';
import type { Plan, TensorView } from '../runtime/plan.js';

/** What calibration learns of one tensor: bounds for each channel. Memory does not depend on the number of images. */
export interface Range {
  readonly min: Float32Array;
  readonly max: Float32Array;
}

export type Ranges = Map<string, Range>;

/** Widens `ranges` by what one input makes of every tensor. The input already lies in the plan. */
export function observeRanges(executor: Executor, plan: Plan, ranges: Ranges): void {
  executor.observe(plan, (tensor, memory) => {
    let range = ranges.get(tensor.name);
    if (!range) {
      const channels = tensor.shape[2];
      range = {
        min: new Float32Array(channels).fill(Number.POSITIVE_INFINITY),
        max: new Float32Array(channels).fill(Number.NEGATIVE_INFINITY),
      };
      ranges.set(tensor.name, range);
    }
    widen(range, tensor, new Float32Array(memory.buffer));
  });
}

function widen({ min, max }: Range, { name, shape, pointer, rowStride, pixelStride }: TensorView, values: Float32Array): void {
  const [height, width, channels] = shape;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (pointer + y * rowStride + x * pixelStride) / 4;
      for (let c = 0; c < channels; c++) {
        const value = values[at + c] as number;
        if (value < (min[c] as number)) min[c] = value;
        if (value > (max[c] as number)) max[c] = value;
      }
    }
  }
  if (!Number.isFinite((min[0] as number) + (max[0] as number))) {
    const what = name === INPUT ? 'a calibration input' : `"${name}"`;
    throw new QuantizationError(`${what} holds NaN or infinity; calibrate on finite images.`);
  }
}
