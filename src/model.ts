import platform from '#platform';
import type { ArchitectureName } from './architecture/tables.js';
import { AbortError, DisposedError, InputError, QuantizationError, ShapeError } from './errors.js';
import { isQuantized, type Network, type Preprocessing } from './graph/network.js';
import { type NetworkSummary, summarize } from './graph/summary.js';
import { checkPixels, type ImageSource, isPixels, type Pixels } from './image/pixels.js';
import { preprocess } from './image/preprocess.js';
import { dequantize } from './quantization/dequantize.js';
import { observeRanges, type Ranges } from './quantization/observe.js';
import { quantizeNetwork, type SchemeOptions } from './quantization/quantize.js';
import { layersToKeep, type Probe } from './quantization/sensitivity.js';
import type { Simd } from './runtime/engine.js';
import { Executor, type LayerTiming, type RuntimeOptions } from './runtime/executor.js';
import type { Plan, TensorView } from './runtime/plan.js';
import { MOST_THREADS } from './runtime/threads/pool.js';
import { readNetwork } from './weights/load.js';
import { checkPreprocessing } from './weights/metadata.js';
import { writeNative } from './weights/native.js';

/** NHWC, row-major. As a network's input c is 3 and the values are normalised. */
export interface Tensor {
  readonly data: Float32Array;
  readonly shape: readonly [n: number, h: number, w: number, c: number];
}

export type ModelSource = string | URL | ArrayBuffer | Uint8Array | Blob;
export type ModelInput = ImageSource | Tensor;

export interface LoadOptions {
  /** Settles the architecture where a file's tensors would fit several. */
  readonly architecture?: ArchitectureName;
  readonly width?: number;
  /** 'float32' runs a quantized file by the float network behind it; without it a file runs as what it is. */
  readonly precision?: 'float32';
  readonly threads?: number | 'auto';
  readonly simd?: Simd;
  /** One a class. */
  readonly labels?: readonly string[];
  readonly preprocessing?: Preprocessing;
  readonly signal?: AbortSignal;
  readonly onProgress?: (loadedBytes: number, totalBytes?: number) => void;
}

export interface Prediction {
  readonly index: number;
  readonly label: string;
  readonly probability: number;
}

export interface QuantizeOptions {
  /** Convolutions, by name as profile() has them, that stay in float32. */
  readonly keepFloat?: readonly string[];
  /** Keep the most harmful layers in float32 until at most this share of calibration inputs changes its top-1. Holds those inputs in memory. */
  readonly maxDrop?: number;
  readonly signal?: AbortSignal;
  /** Called after each calibration input. */
  readonly onProgress?: (inputs: number) => void;
}

const isTensor = (input: ModelInput): input is Tensor =>
  typeof input === 'object' && 'shape' in input && Array.isArray(input.shape) && (input as Tensor).data instanceof Float32Array;

const throwIfAborted = (signal: AbortSignal | undefined) => {
  if (signal?.aborted) throw new AbortError(signal.reason);
};

/** A loaded network. Methods may be called concurrently; they run one after the other. */
export class Model {
  private executor: Executor | undefined;

  /** Made by loadModel() and quantize(). */
  constructor(
    private readonly network: Network,
    executor: Executor,
    private readonly options: RuntimeOptions,
  ) {
    this.executor = executor;
  }

  /** @internal */
  static async create(network: Network, options: RuntimeOptions = {}): Promise<Model> {
    return new Model(network, await Executor.create(network, options), options);
  }

  get architecture(): string {
    return this.network.graph.architecture;
  }

  get precision(): 'float32' | 'int8' {
    return this.network.lanes.size > 0 ? 'int8' : 'float32';
  }

  /** How many threads it runs on, and with which SIMD: what `threads` and `simd` came to here. */
  get runtimeFeatures(): { threads: number; simd: 'baseline' | 'relaxed' } {
    return { threads: this.live.engine.threads, simd: this.live.engine.variant };
  }

  /** The side in pixels that images are brought to. */
  get inputSize(): number {
    return this.network.graph.resolution;
  }

  get classes(): number {
    return this.network.graph.classes;
  }

  /** One a class; "class 7" where nothing names them. */
  get labels(): readonly string[] {
    return this.network.labels ?? Array.from({ length: this.classes }, (_, i) => `class ${i}`);
  }

  /** Whether the file or the caller named the classes. */
  get hasLabels(): boolean {
    return this.network.labels !== undefined;
  }

  get preprocessing(): Preprocessing {
    return this.network.preprocessing;
  }

  /** Blocks, parameters and multiply-adds. */
  get summary(): NetworkSummary {
    return summarize(this.network.graph);
  }

  /** Bytes of activations at the model's own input size, and the most of them that live at once. */
  get memory(): { arenaBytes: number; liveBytes: number; totalBytes: number } {
    const { arenaBytes, liveBytes } = this.live.plan(this.inputSize, this.inputSize);
    return { arenaBytes, liveBytes, totalBytes: this.live.engine.memory.buffer.byteLength };
  }

  private get live(): Executor {
    if (!this.executor) throw new DisposedError();
    return this.executor;
  }

  /**
   * Logits of a batch.
   *
   * @param input [n, h, w, 3], h and w from 32 to 512, normalised as `preprocessing` says
   * @returns n x classes values, row by row
   * @throws ShapeError, DisposedError
   */
  async predict(input: Tensor): Promise<Float32Array> {
    return this.runBatch(input, (plan) => plan.logits);
  }

  /** The classes of an image, most probable first. */
  async classify(image: ModelInput, options: { topK?: number; signal?: AbortSignal } = {}): Promise<Prediction[]> {
    const { topK = 5, signal } = options;
    if (!Number.isInteger(topK) || topK < 1) throw new ShapeError(`topK is to be a whole number above 0, not ${topK}.`);
    throwIfAborted(signal);
    const input = await this.decode(image);
    throwIfAborted(signal);
    return this.top(
      this.runOne(input, (plan) => plan.logits),
      topK,
    );
  }

  /** The pooled features before the classifier, of an image or of each input of a batch. */
  async embed(image: ModelInput): Promise<Float32Array> {
    if (isTensor(image)) return this.runBatch(image, (plan) => plan.embedding);
    return this.runOne(await this.decode(image), (plan) => plan.embedding);
  }

  /** Logits of an image, preprocessed as classify() does it. */
  async logits(image: ModelInput): Promise<Float32Array> {
    if (isTensor(image)) return this.predict(image);
    return this.runOne(await this.decode(image), (plan) => plan.logits);
  }

  /** An image as the network sees it: resized, cropped, normalised. */
  async preprocess(image: ImageSource): Promise<Tensor> {
    const plan = this.put(await this.decode(image));
    return { data: this.live.input(plan).slice(), shape: [1, plan.height, plan.width, 3] };
  }

  /** Median milliseconds of every node, on `input` or on noise. */
  async profile(input?: Tensor): Promise<LayerTiming[]> {
    const [n, height, width] = input?.shape ?? [1, this.inputSize, this.inputSize];
    if (n !== 1) throw new ShapeError(`profile takes one input, not a batch of ${n}.`);
    const plan = this.live.plan(height, width);
    const noise = () => Float32Array.from({ length: height * width * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5);
    this.live.input(plan).set(input ? input.data : noise());
    return this.live.profile(plan);
  }

  /** The model as safetensors; loadModel() of it gives bit-identical logits. */
  save(): Uint8Array {
    this.live;
    return writeNative(this.network);
  }

  /** Gives the memory back. Everything but dispose() throws DisposedError from here on. */
  dispose(): void {
    this.executor?.dispose();
    this.executor = undefined;
  }

  /** Convolutions of an int8 model that were kept in float32. */
  get floatLayers(): readonly string[] {
    if (this.precision === 'float32') return [];
    return [...this.network.weights].filter(([, weights]) => !isQuantized(weights)).map(([name]) => name);
  }

  /** @internal The float network that quantization starts from. */
  floatNetwork(): Network {
    this.live;
    return this.precision === 'int8' ? dequantize(this.network) : this.network;
  }

  /** @internal */
  get loadOptions(): RuntimeOptions {
    return this.options;
  }

  /** @internal What takes time and no memory of the model's; put() and run() then follow each other undisturbed. */
  async decode(input: ModelInput): Promise<Pixels | Tensor> {
    this.live;
    if (isTensor(input)) return input;
    return isPixels(input) ? checkPixels(input) : platform.decodeImage(input);
  }

  /** @internal Puts one input into the plan for its size. */
  put(input: Pixels | Tensor): Plan {
    const { live } = this;
    if (isTensor(input)) {
      this.checkTensor(input);
      if (input.shape[0] !== 1) throw new ShapeError(`one input was expected, not a batch of ${input.shape[0]}.`);
      const plan = live.plan(input.shape[1], input.shape[2]);
      live.input(plan).set(input.data);
      return plan;
    }
    const plan = live.plan(this.inputSize, this.inputSize);
    preprocess(live.engine, input, plan.input.pointer, plan.height, plan.width, this.preprocessing);
    return plan;
  }

  /** @internal */
  get runtime(): Executor {
    return this.live;
  }

  private runOne(input: Pixels | Tensor, viewOf: (plan: Plan) => TensorView): Float32Array {
    const plan = this.put(input);
    this.live.run(plan);
    return this.live.output(viewOf(plan)).slice();
  }

  private checkTensor({ data, shape }: Tensor): void {
    const [n, height, width, channels] = shape;
    if (shape.length !== 4 || channels !== 3 || !Number.isInteger(n) || n < 1) {
      throw new ShapeError(`an input is [n, height, width, 3] with n above 0; [${shape}] was given.`);
    }
    if (data.length !== n * height * width * channels) {
      throw new ShapeError(`shape [${shape}] needs ${n * height * width * channels} values; ${data.length} were given.`);
    }
  }

  /** Image by image: activations stay in the cache, and the memory of one image serves any batch. */
  private runBatch(input: Tensor, viewOf: (plan: Plan) => TensorView): Float32Array {
    const { live } = this;
    this.checkTensor(input);
    const [n, height, width] = input.shape;
    const plan = live.plan(height, width);
    const view = viewOf(plan);
    const size = height * width * 3;
    const result = new Float32Array(n * view.shape[2]);
    const target = live.input(plan);
    const source = live.output(view);
    for (let i = 0; i < n; i++) {
      target.set(input.data.subarray(i * size, (i + 1) * size));
      live.run(plan);
      result.set(source, i * view.shape[2]);
    }
    return result;
  }

  private top(logits: Float32Array, count: number): Prediction[] {
    const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const exponentials = Float64Array.from(logits, (logit) => Math.exp(logit - highest));
    const sum = exponentials.reduce((a, b) => a + b, 0);
    const order = [...logits.keys()].sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
    const { labels } = this;
    return order
      .slice(0, count)
      .map((index) => ({ index, label: labels[index] as string, probability: (exponentials[index] as number) / sum }));
  }
}

function runtimeOptions({ simd = 'auto', threads = 1 }: LoadOptions): RuntimeOptions {
  if (simd !== 'auto' && simd !== 'baseline' && simd !== 'relaxed')
    throw new InputError(`simd is 'auto', 'baseline' or 'relaxed', not ${simd}.`);
  if (threads !== 'auto' && !(Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS)) {
    throw new InputError(`threads is 'auto' or a whole number from 1 to ${MOST_THREADS}, not ${threads}.`);
  }
  return { simd, threads };
}

async function bytesOf(source: ModelSource, options: LoadOptions): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Blob !== 'undefined' && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  if (typeof source === 'string' || source instanceof URL) return platform.readBytes(source, options);
  throw new InputError('a model is a path, a URL, an ArrayBuffer, a Uint8Array or a Blob.');
}

/**
 * Loads a network from a weights file: safetensors with torchvision's, timm's or this package's names, or .tflite.
 *
 * @throws ModelFormatError for a file that is damaged or no model, UnsupportedModelError for a network outside the family
 */
export async function loadModel(source: ModelSource, options: LoadOptions = {}): Promise<Model> {
  throwIfAborted(options.signal);
  const bytes = await bytesOf(source, options);
  throwIfAborted(options.signal);
  let network = await readNetwork(bytes, options);
  if (options.precision === 'float32' && network.lanes.size > 0) network = dequantize(network);
  const { labels, preprocessing } = options;
  if (labels && labels.length !== network.graph.classes) {
    throw new ShapeError(`${labels.length} labels were given for ${network.graph.classes} classes.`);
  }
  if (labels) network = { ...network, labels };
  if (preprocessing) network = { ...network, preprocessing: checkPreprocessing(preprocessing) };
  return Model.create(network, runtimeOptions(options));
}

/**
 * What calibration inputs make of a model's tensors: quantizeWith() turns it into int8, in as many ways as are wanted.
 *
 * @internal
 */
export async function calibrate(
  model: Model,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: Pick<QuantizeOptions, 'signal' | 'onProgress'> & {
    readonly histograms?: boolean;
    readonly onInput?: (probe: Probe) => void;
  } = {},
): Promise<Ranges> {
  const observer = await Model.create(model.floatNetwork(), { ...model.loadOptions, threads: 1 });
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

/** @internal */
export async function quantizeWith(model: Model, ranges: Ranges, options: SchemeOptions = {}): Promise<Model> {
  return Model.create(quantizeNetwork(model.floatNetwork(), ranges, options), model.loadOptions);
}

/**
 * Quantizes a model to int8: weights with a scale a channel, activations by the ranges that `calibration` shows. No
 * labels are needed; 16 to 100 typical inputs are enough. The same inputs give the same bytes.
 *
 * @throws QuantizationError when calibration is empty or holds values that are not finite, or a layer to keep is none
 */
export async function quantize(
  model: Model,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: QuantizeOptions = {},
): Promise<Model> {
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
