import { QuantizationError } from '../errors.js';
import { INPUT } from '../graph/graph.js';
import type { Plan } from '../runtime/plan.js';
import type { Session } from '../runtime/session.js';
import type { TensorView } from '../runtime/tensors.js';
import { Histogram } from './histogram.js';
import type { Probe } from './probe.js';

/** What calibration learns of one tensor, channel by channel. Memory does not depend on the number of images. */
export interface Range {
  readonly min: Float32Array;
  readonly max: Float32Array;
  /** Sums over all pixels seen, and how many those are. */
  readonly sum: Float64Array;
  pixels: number;
  images: number;
  /** Pixels that are in the histograms. */
  counted: number;
  /** One a tensor; only where ranges are to be chosen by it. */
  readonly histogram?: Histogram;
  /** With it, one a channel: of every other image, and of those between. What one half shows can be tried on the other. */
  readonly halves?: readonly [readonly Histogram[], readonly Histogram[]];
}

/** Of an image, about so many are counted in histograms, evenly spread, others in each image. */
const MOST_COUNTED = 784;
/** Fewer bins a channel than a tensor: there are many channels. */
const CHANNEL_BINS = 256;

export type Ranges = Map<string, Range>;

/** What is known of a network's tensors before it is quantized. */
export interface Calibration {
  readonly ranges: Ranges;
  /** Of the inputs, as many as memory is spent on, evenly spread. */
  readonly inputs: readonly Probe[];
}

/** Channel by channel. */
export const meansOf = ({ sum, pixels }: Range): Float64Array => sum.map((total) => total / pixels);

const newRange = (channels: number, histogram: boolean): Range => ({
  min: new Float32Array(channels).fill(Number.POSITIVE_INFINITY),
  max: new Float32Array(channels).fill(Number.NEGATIVE_INFINITY),
  sum: new Float64Array(channels),
  pixels: 0,
  images: 0,
  counted: 0,
  ...(histogram ? { histogram: new Histogram(), halves: [histograms(channels), histograms(channels)] } : {}),
});

const histograms = (channels: number) => Array.from({ length: channels }, () => new Histogram(CHANNEL_BINS));

/** Adds to `ranges` what one input makes of every tensor. The input already lies in the plan. */
export function observeRanges(session: Session, plan: Plan, ranges: Ranges, histograms = false): void {
  session.observe(plan, (tensor, memory) => {
    let range = ranges.get(tensor.name);
    if (!range) {
      range = newRange(tensor.shape[2], histograms);
      ranges.set(tensor.name, range);
    }
    widen(range, tensor, new Float32Array(memory.buffer));
  });
}

function widen(range: Range, { name, shape, pointer, rowStride, pixelStride }: TensorView, values: Float32Array): void {
  const { min, max, sum, histogram, halves } = range;
  const own = halves?.[(range.images % 2) as 0 | 1];
  const [height, width, channels] = shape;
  // An odd step visits all columns of widths that are halved again and again.
  const step = Math.ceil((height * width) / MOST_COUNTED) | 1;
  const first = range.images % step;
  /** Where the pixels lie that are counted. */
  const counted: number[] = [];
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      const at = (pointer + y * rowStride + x * pixelStride) / 4;
      for (let c = 0; c < channels; c++) {
        const value = values[at + c] as number;
        if (value < (min[c] as number)) min[c] = value;
        if (value > (max[c] as number)) max[c] = value;
        sum[c] = (sum[c] as number) + value;
      }
      if (pixel % step === first) counted.push(at);
    }
  }
  if (histogram) {
    range.counted += counted.length;
    histogram.add(values, 0, channels, counted);
    own?.forEach((channel, c) => {
      channel.add(values, c, 1, counted);
    });
  }
  range.pixels += height * width;
  range.images++;
  if (!sum.every(Number.isFinite)) {
    const what = name === INPUT ? 'a calibration input' : `"${name}"`;
    throw new QuantizationError(`${what} holds NaN or infinity; calibrate on finite images.`);
  }
}
