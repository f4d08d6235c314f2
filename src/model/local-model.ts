import platform from '#platform';
import { throwIfAborted } from '../abort.js';
import { MOST_THREADS } from '../engine/threads/pool.js';
import { DisposedError, InputError, ShapeError } from '../errors.js';
import { isQuantized, type Network, type Preprocessing } from '../graph/network.js';
import { type NetworkSummary, summarize } from '../graph/summary.js';
import { checkPixels, isPixels, isTensor } from '../image/pixels.js';
import { preprocess } from '../image/preprocess.js';
import type { ImageSource, ModelInput, ModelSource, Pixels, Tensor } from '../inputs.js';
import { dequantize } from '../quantization/dequantize.js';
import { Executor, type LayerTiming, type RuntimeOptions } from '../runtime/executor.js';
import type { Plan, TensorView } from '../runtime/plan.js';
import { writeCheckpoint } from '../weights/export.js';
import { readNetwork } from '../weights/load.js';
import { checkPreprocessing } from '../weights/metadata.js';
import { writeNative } from '../weights/native.js';
import type { ClassifyOptions, LoadOptions, Model, Prediction, RuntimeFeatures, SaveOptions } from './model.js';

/** A network on the calling thread. */
export class LocalModel implements Model {
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
  static async create(network: Network, options: RuntimeOptions = {}): Promise<LocalModel> {
    return new LocalModel(network, await Executor.create(network, options), options);
  }

  get architecture(): string {
    return this.network.graph.architecture;
  }

  get precision(): 'float32' | 'int8' {
    return this.network.lanes.size > 0 ? 'int8' : 'float32';
  }

  get runtimeFeatures(): RuntimeFeatures {
    return { threads: this.live.engine.threads, simd: this.live.engine.variant, worker: false };
  }

  get inputSize(): number {
    return this.network.graph.resolution;
  }

  get classes(): number {
    return this.network.graph.classes;
  }

  get labels(): readonly string[] {
    return this.network.labels ?? Array.from({ length: this.classes }, (_, i) => `class ${i}`);
  }

  get hasLabels(): boolean {
    return this.network.labels !== undefined;
  }

  get preprocessing(): Preprocessing {
    return this.network.preprocessing;
  }

  get summary(): NetworkSummary {
    return summarize(this.network.graph);
  }

  get memory(): Model['memory'] {
    const { arenaBytes, liveBytes } = this.live.plan(this.inputSize, this.inputSize);
    return { arenaBytes, liveBytes, totalBytes: this.live.engine.memory.buffer.byteLength };
  }

  private get live(): Executor {
    if (!this.executor) throw new DisposedError();
    return this.executor;
  }

  async predict(input: Tensor): Promise<Float32Array> {
    return this.runBatch(input, (plan) => plan.logits);
  }

  async classify(image: ModelInput, options: ClassifyOptions = {}): Promise<Prediction[]> {
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

  async embed(image: ModelInput): Promise<Float32Array> {
    if (isTensor(image)) return this.runBatch(image, (plan) => plan.embedding);
    return this.runOne(await this.decode(image), (plan) => plan.embedding);
  }

  async logits(image: ModelInput): Promise<Float32Array> {
    if (isTensor(image)) return this.predict(image);
    return this.runOne(await this.decode(image), (plan) => plan.logits);
  }

  async preprocess(image: ImageSource): Promise<Tensor> {
    const plan = this.put(await this.decode(image));
    return { data: this.live.input(plan).slice(), shape: [1, plan.height, plan.width, 3] };
  }

  async profile(input?: Tensor): Promise<LayerTiming[]> {
    const [n, height, width] = input?.shape ?? [1, this.inputSize, this.inputSize];
    if (n !== 1) throw new ShapeError(`profile takes one input, not a batch of ${n}.`);
    const plan = this.live.plan(height, width);
    const noise = () => Float32Array.from({ length: height * width * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5);
    this.live.input(plan).set(input ? input.data : noise());
    return this.live.profile(plan);
  }

  save({ names }: SaveOptions = {}): Uint8Array {
    this.live;
    return names ? writeCheckpoint(this.network, names) : writeNative(this.network);
  }

  dispose(): void {
    this.executor?.dispose();
    this.executor = undefined;
  }

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

export function runtimeOptions({ simd = 'auto', threads = 1 }: LoadOptions): RuntimeOptions {
  if (simd !== 'auto' && simd !== 'baseline' && simd !== 'relaxed')
    throw new InputError(`simd is 'auto', 'baseline' or 'relaxed', not ${simd}.`);
  if (threads !== 'auto' && !(Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS)) {
    throw new InputError(`threads is 'auto' or a whole number from 1 to ${MOST_THREADS}, not ${threads}.`);
  }
  return { simd, threads };
}

/** What a source holds, and the text of the config.json beside it. */
async function fetched(source: ModelSource, options: LoadOptions): Promise<{ bytes: Uint8Array; config?: string | undefined }> {
  if (source instanceof Uint8Array) return { bytes: source };
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source) };
  if (typeof Blob !== 'undefined' && source instanceof Blob) return { bytes: new Uint8Array(await source.arrayBuffer()) };
  if (typeof source === 'string' && source.startsWith('hf:')) {
    const { fetchFromHub } = await import('../hub/hub.js');
    return fetchFromHub(source, options.hub, options);
  }
  if (typeof source !== 'string' && !(source instanceof URL))
    throw new InputError('a model is a path, a URL, an ArrayBuffer, a Uint8Array or a Blob.');
  return { bytes: await platform.readBytes(source, options), config: await platform.configBeside(source) };
}

/** loadModel() on the calling thread. */
export async function loadLocalModel(source: ModelSource, options: LoadOptions = {}): Promise<LocalModel> {
  throwIfAborted(options.signal);
  const { bytes, config } = await fetched(source, options);
  throwIfAborted(options.signal);
  let network = await readNetwork(bytes, { ...options, ...(config ? { config } : {}) });
  if (options.precision === 'float32' && network.lanes.size > 0) network = dequantize(network);
  const { labels, preprocessing } = options;
  if (labels && labels.length !== network.graph.classes) {
    throw new ShapeError(`${labels.length} labels were given for ${network.graph.classes} classes.`);
  }
  if (labels) network = { ...network, labels };
  if (preprocessing) network = { ...network, preprocessing: checkPreprocessing(preprocessing) };
  return LocalModel.create(network, runtimeOptions(options));
}

/** A model whose layers can be looked at. */
export function onThisThread(model: Model): LocalModel {
  if (model instanceof LocalModel) return model;
  throw new InputError('this needs a model on the calling thread; load it without `worker`.');
}
