import { InputError, ShapeError } from './errors.js';
import { dot, normalized } from './tasks/embedding.js';
import { damaged, decode, encode, fromBase64, listOf, toBase64 } from './transfer/files.js';

/*
 * Learning in the page on a network's embeddings: what people call transfer learning. The network stays as it is; what is
 * learnt is small, and is saved and loaded on its own.
 *
 *   const examples = new Examples();
 *   examples.add('cat', await model.embed(picture));
 *   examples.nearest(await model.embed(other));              // k nearest neighbours: no training
 *   const head = trainHead(examples);                        // a linear head: softmax regression
 *   head.classify(await model.embed(other));
 */

export interface Guess {
  readonly label: string;
  /** From 0 to 1; those of all labels sum to 1. */
  readonly probability: number;
}

export interface HeadOptions {
  /** Passes over all examples; 200 where it is left out. */
  readonly epochs?: number;
  /** Of the first step; 0.1 where it is left out. It falls to zero along a cosine. */
  readonly learningRate?: number;
  /** The weight of the squared weights in the loss; 1e-3 where it is left out. */
  readonly weightDecay?: number;
  /** Called after each pass with its mean loss in nats. */
  readonly onEpoch?: (epoch: number, loss: number) => void;
}

const sorted = (guesses: Guess[]) => guesses.sort((a, b) => b.probability - a.probability);

/** Embeddings of examples, by label. */
export class Examples {
  private readonly byLabel = new Map<string, Float32Array[]>();
  private length: number | undefined;

  /** Values of an embedding; undefined while there is none. */
  get size(): number | undefined {
    return this.length;
  }

  /** How many examples each label has, in the order in which the labels came. */
  get counts(): ReadonlyMap<string, number> {
    return new Map([...this.byLabel].map(([label, list]) => [label, list.length]));
  }

  /**
   * Adds an example.
   *
   * @param embedding as embed() gives it, of one image; all of one length
   * @throws ShapeError for an embedding of another length than the first, InputError for a value that is not finite
   * @example examples.add('cat', await model.embed(picture));
   */
  add(label: string, embedding: Float32Array): void {
    this.check(embedding);
    // Of length 1: neighbours are then told by the angle, and a head is not swayed by how bright a picture is.
    const example = normalized(embedding);
    this.length = example.length;
    const list = this.byLabel.get(label);
    if (list) list.push(example);
    else this.byLabel.set(label, [example]);
  }

  /**
   * Forgets a label with all its examples.
   *
   * @returns false if there is none
   * @example examples.remove('cat');
   */
  remove(label: string): boolean {
    const removed = this.byLabel.delete(label);
    if (this.byLabel.size === 0) this.length = undefined;
    return removed;
  }

  /**
   * What the k nearest examples say, by cosine similarity, each with one voice.
   *
   * @param embedding as embed() gives it, of one image
   * @param k as many as there are examples at most; 5 where it is left out
   * @returns all labels, most probable first; probabilities from 0 to 1
   * @throws ShapeError for an embedding of another length, InputError for a value that is not finite, or where there is no example
   * @example const [{ label }] = examples.nearest(await model.embed(picture));
   */
  nearest(embedding: Float32Array, k = 5): Guess[] {
    if (!Number.isInteger(k) || k < 1) throw new InputError(`k must be a whole number above 0; got ${k}.`);
    if (this.length === undefined) throw new InputError('no examples yet; add() some first.');
    this.check(embedding);
    const wanted = normalized(embedding);
    const near = this.all()
      .map(({ label, example }) => ({ label, similarity: dot(wanted, example) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, k);
    const share = (label: string) => near.filter((other) => other.label === label).length / near.length;
    return sorted([...this.byLabel.keys()].map((label) => ({ label, probability: share(label) })));
  }

  /**
   * Every example with its label.
   *
   * @returns embeddings of length 1
   * @example const labels = examples.all().map(({ label }) => label);
   */
  all(): { readonly label: string; readonly example: Float32Array }[] {
    return [...this.byLabel].flatMap(([label, list]) => list.map((example) => ({ label, example })));
  }

  /**
   * Bytes that Examples.load() reads: JSON, the embeddings in base64.
   *
   * @example localStorage.setItem('examples', new TextDecoder().decode(examples.save()));
   */
  save(): Uint8Array {
    const labels = [...this.byLabel].map(([label, list]) => ({ label, embeddings: list.map(toBase64) }));
    return encode({ kind: 'examples', size: this.length ?? 0, labels });
  }

  /**
   * Reads what save() has made.
   *
   * @throws ModelFormatError for anything else
   * @example const examples = Examples.load(bytes);
   */
  static load(bytes: Uint8Array): Examples {
    const { size, labels } = decode(bytes, 'examples');
    const examples = new Examples();
    for (const entry of listOf(labels)) {
      const { label, embeddings } = (entry ?? {}) as Record<string, unknown>;
      if (typeof label !== 'string') throw damaged();
      for (const embedding of listOf(embeddings)) examples.add(label, fromBase64(embedding, size));
    }
    return examples;
  }

  private check({ length }: Float32Array): void {
    if (length === 0 || (this.length !== undefined && length !== this.length)) {
      throw new ShapeError(`an embedding must have ${this.length ?? 'at least 1'} values; got ${length}. All must come from one network.`);
    }
  }
}

/** A linear layer with a softmax: labels from an embedding. */
export class Head {
  /** @param weights [labels][size], @param bias [labels] */
  constructor(
    readonly labels: readonly string[],
    private readonly weights: Float32Array,
    private readonly bias: Float32Array,
  ) {}

  /** Values of an embedding. */
  get size(): number {
    return this.weights.length / this.labels.length;
  }

  /**
   * All labels, most probable first.
   *
   * @param embedding as embed() gives it, of one image
   * @returns probabilities from 0 to 1, which sum to 1
   * @throws ShapeError for an embedding of another length, InputError for a value that is not finite
   * @example const [{ label, probability }] = head.classify(await model.embed(picture));
   */
  classify(embedding: Float32Array): Guess[] {
    if (embedding.length !== this.size) throw new ShapeError(`this head takes ${this.size} values; got ${embedding.length}.`);
    const probabilities = softmax(scores(normalized(embedding), this.weights, this.bias));
    return sorted(this.labels.map((label, i) => ({ label, probability: probabilities[i] as number })));
  }

  /**
   * Bytes that Head.load() reads.
   *
   * @example const bytes = head.save();
   */
  save(): Uint8Array {
    const { labels, size, weights, bias } = this;
    return encode({ kind: 'head', size, labels, weights: toBase64(weights), bias: toBase64(bias) });
  }

  /**
   * Reads what save() has made.
   *
   * @throws ModelFormatError for anything else
   * @example const head = Head.load(bytes);
   */
  static load(bytes: Uint8Array): Head {
    const { size, labels, weights, bias } = decode(bytes, 'head');
    const names = listOf(labels);
    if (names.length === 0 || !names.every((name) => typeof name === 'string')) throw damaged();
    return new Head(names as string[], fromBase64(weights, size * names.length), fromBase64(bias, names.length));
  }
}

/** Logits, sharpened: embeddings have length 1, and their cosines lie close together. */
const SHARPNESS = 16;

const scores = (example: Float32Array, weights: Float32Array, bias: Float32Array) =>
  bias.map((b, label) => b + SHARPNESS * dot(example, weights, 0, label * example.length));

function softmax(values: Float32Array): Float32Array {
  const highest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const exponentials = values.map((value) => Math.exp(value - highest));
  const sum = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / sum);
}

/**
 * Trains a head by stochastic gradient descent on the cross-entropy; labels with few examples count as much as those with
 * many. The same examples give the same head.
 *
 * @param examples of at least two labels
 * @throws InputError for fewer than two labels, or an option out of range
 * @example
 * const head = trainHead(examples, { epochs: 100 });
 */
export function trainHead(examples: Examples, options: HeadOptions = {}): Head {
  const { epochs = 200, learningRate = 0.1, weightDecay = 1e-3, onEpoch } = options;
  const { counts, size } = examples;
  const labels = [...counts.keys()];
  if (labels.length < 2 || size === undefined) {
    throw new InputError(`a head needs examples of at least two labels; got ${labels.length}.`);
  }
  if (!(epochs >= 1 && learningRate > 0 && weightDecay >= 0)) {
    throw new InputError(
      `epochs must be at least 1, learningRate above 0, weightDecay at least 0; got ${epochs}, ${learningRate} and ${weightDecay}.`,
    );
  }
  const list = examples.all();
  const weights = new Float32Array(labels.length * size);
  const bias = new Float32Array(labels.length);
  const index = new Map(labels.map((label, i) => [label, i]));
  const importance = labels.map((label) => list.length / (labels.length * (counts.get(label) as number)));
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = (learningRate * (1 + Math.cos((Math.PI * epoch) / epochs))) / 2;
    let loss = 0;
    for (let n = 0; n < list.length; n++) {
      // Another order each time, and always the same: a step that shares no divisor with the number of examples.
      const { label, example } = list[(n * stride(list.length, epoch)) % list.length] as (typeof list)[number];
      const target = index.get(label) as number;
      const probabilities = softmax(scores(example, weights, bias));
      loss -= Math.log(Math.max(probabilities[target] as number, 1e-30)) * (importance[target] as number);
      for (let c = 0; c < labels.length; c++) {
        const error = ((probabilities[c] as number) - (c === target ? 1 : 0)) * (importance[target] as number) * rate;
        bias[c] = (bias[c] as number) - error;
        for (let i = 0, at = c * size; i < size; i++, at++) {
          const weight = weights[at] as number;
          weights[at] = weight - error * (example[i] as number) - rate * weightDecay * weight;
        }
      }
    }
    onEpoch?.(epoch + 1, loss / list.length);
  }
  return new Head(labels, weights, bias);
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

function stride(length: number, epoch: number): number {
  let candidate = 1 + ((epoch * 7919) % Math.max(1, length));
  while (gcd(candidate, length) !== 1) candidate++;
  return candidate;
}
