import { throwIfAborted } from '../abort.js';
import type { ModelInput, Tensor } from '../inputs.js';
import type { Model } from '../model/model.js';
import { Divergence } from '../quantization/divergence.js';
import { probabilitiesOf } from '../tasks/classification.js';
import { Similarities, type Similarity } from './similarity.js';

export interface Latency {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

export interface Evaluation {
  readonly images: number;
  /** Fractions of the images with a label; NaN where none has one, and for networks without a classifier. */
  readonly top1: number;
  readonly top5: number;
  /** Milliseconds a predict() of one image, or an embed() where there is no classifier. */
  readonly latencyMs: Latency;
}

export interface Sample {
  readonly image: ModelInput;
  /** The index of its class, where it is known. */
  readonly label?: number | undefined;
  /** What to call it in a report. */
  readonly name?: string;
}

/** An image on which two models differ. */
export interface Disagreement {
  readonly sample: Sample;
  readonly reference: number;
  readonly candidate: number;
}

export interface Comparison {
  readonly images: number;
  readonly reference: Evaluation;
  readonly candidate: Evaluation;
  /** The share of images with the same top-1; NaN for networks without a classifier. */
  readonly agreement: number;
  /** Of the logits, or of the features where there is no classifier. */
  readonly cosine: Similarity;
  /** Of what most files give by themselves; missing where there is no classifier. */
  readonly probabilities?: Similarity;
  /** 10 log10 of the variance of the reference's logits, or features, over the mean square of the difference. */
  readonly logitSqnrDb: number;
  /** Ratio of the median latencies. */
  readonly speedup: number;
  readonly disagreements: readonly Disagreement[];
}

export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** Called after each image. */
  readonly onProgress?: (images: number) => void;
}

export function quantiles(values: readonly number[]): Latency {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { median: at(0.5), p10: at(0.1), p90: at(0.9) };
}

/** How many classes score above the label's, ties going to the lower index as argmax has them. */
function rankOf(logits: Float32Array, label: number): number {
  const own = logits[label] as number;
  let rank = 0;
  for (let i = 0; i < logits.length; i++) if ((logits[i] as number) > own || (logits[i] === own && i < label)) rank++;
  return rank;
}

/** Accuracy and latency of one model, fed image by image. */
class Tally {
  private readonly times: number[] = [];
  private labelled = 0;
  private first = 0;
  private fifth = 0;

  constructor(private readonly model: Model) {}

  /** @returns the logits, or the features of a network without a classifier */
  async add(input: Tensor, label: number | undefined): Promise<Float32Array> {
    const classifies = this.model.classes > 0;
    const start = performance.now();
    const answer = await (classifies ? this.model.predict(input) : this.model.embed(input));
    this.times.push(performance.now() - start);
    if (!classifies || label === undefined) return answer;
    const rank = rankOf(answer, label);
    this.labelled++;
    if (rank < 1) this.first++;
    if (rank < 5) this.fifth++;
    return answer;
  }

  result(): Evaluation {
    const share = (count: number) => count / this.labelled;
    return { images: this.times.length, top1: share(this.first), top5: share(this.fifth), latencyMs: quantiles(this.times) };
  }
}

const tensorOf = async (model: Model, image: ModelInput): Promise<Tensor> =>
  typeof image === 'object' && 'shape' in image ? (image as Tensor) : model.preprocess(image);

/**
 * Accuracy and latency of a model on labelled images, in one pass.
 *
 * @param samples images, or normalised tensors [1, h, w, 3], each with the index of its class
 * @returns accuracies from 0 to 1, latencies in milliseconds
 * @throws AbortError, and as classify() does
 * @example
 * const { top1, latencyMs } = await evaluate(model, [{ image: 'cat.jpg', label: 281 }]);
 */
export async function evaluate(
  model: Model,
  samples: AsyncIterable<Sample> | Iterable<Sample>,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const tally = new Tally(model);
  let images = 0;
  for await (const { image, label } of samples) {
    throwIfAborted(options.signal);
    await tally.add(await tensorOf(model, image), label);
    options.onProgress?.(++images);
  }
  return tally.result();
}

/**
 * The same images through two models, which take turns in going first, so that neither has the warmer cache. Without a classifier
 * their features are compared.
 *
 * @param reference preprocesses images for both
 * @param samples images, or normalised tensors [1, h, w, 3], each with the index of its class where it is known
 * @returns accuracies and agreement from 0 to 1, latencies in milliseconds, SQNR in decibels and cosine similarity of the answers
 * @throws AbortError, and as classify() does
 * @example
 * const { agreement, speedup } = await compare(float, int8, samples);
 */
export async function compare(
  reference: Model,
  candidate: Model,
  samples: AsyncIterable<Sample> | Iterable<Sample>,
  options: EvaluateOptions = {},
): Promise<Comparison> {
  const [a, b] = [new Tally(reference), new Tally(candidate)];
  const disagreements: Disagreement[] = [];
  const divergence = new Divergence();
  const cosine = new Similarities();
  const probabilities = new Similarities();
  const classifies = reference.classes > 0;
  const how = reference.summary.probabilities;
  const shares = (logits: Float32Array) => Float32Array.from(probabilitiesOf(logits, how));
  let images = 0;
  for await (const sample of samples) {
    throwIfAborted(options.signal);
    const input = await tensorOf(reference, sample.image);
    let first: Float32Array;
    let second: Float32Array;
    if (images % 2 === 0) {
      first = await a.add(input, sample.label);
      second = await b.add(input, sample.label);
    } else {
      second = await b.add(input, sample.label);
      first = await a.add(input, sample.label);
    }
    const [x, y] = divergence.add(first, second);
    cosine.add(first, second);
    if (classifies) probabilities.add(shares(first), shares(second));
    if (classifies && x !== y) disagreements.push({ sample, reference: x, candidate: y });
    options.onProgress?.(++images);
  }
  const [ra, rb] = [a.result(), b.result()];
  return {
    images,
    reference: ra,
    candidate: rb,
    agreement: classifies ? divergence.agreement : Number.NaN,
    cosine: cosine.result(),
    ...(classifies ? { probabilities: probabilities.result() } : {}),
    logitSqnrDb: divergence.sqnrDb,
    speedup: ra.latencyMs.median / rb.latencyMs.median,
    disagreements,
  };
}
