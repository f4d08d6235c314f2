import { InputError, ModelFormatError, ShapeError } from './errors.js';
import { dot, normalized } from './tasks/embedding.js';

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

const FORMAT = 'mobilenet-v3-wasm/transfer';
const VERSION = 1;

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

  /** @throws ShapeError for an embedding of another length than the first */
  add(label: string, embedding: Float32Array): void {
    this.check(embedding);
    // Of length 1: neighbours are then told by the angle, and a head is not swayed by how bright a picture is.
    const example = normalized(embedding);
    this.length = example.length;
    const list = this.byLabel.get(label);
    if (list) list.push(example);
    else this.byLabel.set(label, [example]);
  }

  /** Forgets a label with all its examples; false if there is none. */
  remove(label: string): boolean {
    const removed = this.byLabel.delete(label);
    if (this.byLabel.size === 0) this.length = undefined;
    return removed;
  }

  /**
   * What the k nearest examples say, by cosine similarity, each with one voice.
   *
   * @param k as many as there are examples at most; 5 where it is left out
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

  /** Every example with its label. */
  all(): { readonly label: string; readonly example: Float32Array }[] {
    return [...this.byLabel].flatMap(([label, list]) => list.map((example) => ({ label, example })));
  }

  /** Bytes that Examples.load() reads: JSON, the embeddings in base64. */
  save(): Uint8Array {
    const labels = [...this.byLabel].map(([label, list]) => ({ label, embeddings: list.map(toBase64) }));
    return encode({ format: FORMAT, version: VERSION, kind: 'examples', size: this.length ?? 0, labels });
  }

  /** @throws ModelFormatError for anything that save() has not made */
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

  /** All labels, most probable first. */
  classify(embedding: Float32Array): Guess[] {
    if (embedding.length !== this.size) throw new ShapeError(`this head takes ${this.size} values; got ${embedding.length}.`);
    const probabilities = softmax(scores(normalized(embedding), this.weights, this.bias));
    return sorted(this.labels.map((label, i) => ({ label, probability: probabilities[i] as number })));
  }

  /** Bytes that Head.load() reads. */
  save(): Uint8Array {
    const { labels, size, weights, bias } = this;
    return encode({ format: FORMAT, version: VERSION, kind: 'head', size, labels, weights: toBase64(weights), bias: toBase64(bias) });
  }

  /** @throws ModelFormatError for anything that save() has not made */
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
 * @throws InputError for fewer than two labels
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

// --- files

const damaged = () => new ModelFormatError('the file is damaged, or was not made by save() of mobilenet-v3-wasm/transfer.');

const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

function decode(bytes: Uint8Array, kind: string): Record<string, unknown> & { size: number } {
  let value: Record<string, unknown> | null = null;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    // Told below.
  }
  const { format, version, kind: found, size } = value ?? {};
  if (format !== FORMAT || found !== kind || !Number.isInteger(size) || (size as number) < 0) throw damaged();
  if (version !== VERSION) throw new ModelFormatError(`the file has version ${version}; this release reads version ${VERSION}.`);
  return value as Record<string, unknown> & { size: number };
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw damaged();
  return value;
}

function toBase64(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: unknown, length: number): Float32Array {
  if (typeof text !== 'string') throw damaged();
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    throw damaged();
  }
  if (bytes.length !== length * 4) throw damaged();
  const values = new Float32Array(bytes.buffer);
  if (!values.every(Number.isFinite)) throw damaged();
  return values;
}
