import { throwIfAborted } from '../abort.js';
import { MOST_THREADS } from '../engine/threads/count.js';
import type { StartThread } from '../engine/threads/pool.js';
import { SIMD_CHOICES } from '../engine/variants.js';
import { DisposedError, InputError, ShapeError, UnsupportedModelError } from '../errors.js';
import { isQuantized, type Network, type Preprocessing } from '../graph/network.js';
import { type NetworkSummary, summarize } from '../graph/summary.js';
import { isTensor } from '../image/pixels.js';
import type { ImageSource, ModelInput, ModelSource, Pixels, Tensor } from '../inputs.js';
import type { Plan } from '../runtime/plan.js';
import { checkInput, type LayerTiming, type RuntimeOptions, Session } from '../runtime/session.js';
import type { TensorView } from '../runtime/tensors.js';
import { KERNEL_CHOICES } from '../runtime/way.js';
import { openSource } from '../source/source.js';
import { checkChoice, mostProbable, type Prediction } from '../tasks/classification.js';
import { normalized } from '../tasks/embedding.js';
import { writeCheckpoint } from '../weights/export.js';
import { readNetwork } from '../weights/load.js';
import { checkPreprocessing } from '../weights/metadata.js';
import { writeNative } from '../weights/native.js';
import {
  type ClassifyOptions,
  DISPOSE,
  type EmbedOptions,
  type ImageOptions,
  type InputOptions,
  type LoadOptions,
  type Model,
  type RuntimeFeatures,
  type SaveOptions,
  type Watched,
  type WatchOptions,
} from './model.js';
import { watch } from './watch.js';

const sessions = new WeakMap<Model, Session>();

/**
 * What runs a model, for those who look at its layers or quantize it.
 *
 * @throws DisposedError, and InputError for a model that runs in a worker
 */
export function sessionOf(model: Model): Session {
  const session = sessions.get(model);
  if (session) return session;
  if (model instanceof LocalModel) throw new DisposedError();
  throw new InputError('this works only on a model of the calling thread; load it without `worker`.');
}

/** A network on the calling thread. */
export async function localModel(network: Network, options: RuntimeOptions = {}): Promise<Model> {
  const model = new LocalModel(network);
  sessions.set(model, await Session.create(network, options));
  return model;
}

class LocalModel implements Model {
  constructor(private readonly network: Network) {}

  private get session(): Session {
    return sessionOf(this);
  }

  get architecture(): string {
    return this.network.graph.architecture;
  }

  get precision(): 'float32' | 'int8' {
    return this.network.lanes.size > 0 ? 'int8' : 'float32';
  }

  get runtimeFeatures(): RuntimeFeatures {
    const { engine } = this.session;
    return { threads: engine.threads, simd: engine.variant, kernels: this.session.kernels, worker: false };
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
    const { session, inputSize } = this;
    const { arenaBytes, liveBytes } = session.plan(inputSize, inputSize);
    return { arenaBytes, liveBytes, totalBytes: session.engine.memory.buffer.byteLength };
  }

  get floatLayers(): readonly string[] {
    if (this.precision === 'float32') return [];
    return [...this.network.weights].filter(([, weights]) => !isQuantized(weights)).map(([name]) => name);
  }

  async predict(input: Tensor, { signal }: InputOptions = {}): Promise<Float32Array> {
    throwIfAborted(signal);
    return this.runBatch(input, logitsOf);
  }

  async classify(image: ModelInput, options: ClassifyOptions = {}): Promise<Prediction[]> {
    const choice = checkChoice(options);
    const logits = this.runOne(await this.session.decode(image, options), logitsOf);
    return mostProbable(logits, this.labels, choice, this.network.graph.probabilities);
  }

  async embed(image: ModelInput, options: EmbedOptions = {}): Promise<Float32Array> {
    const embeddings = await this.runAny(image, options, embeddingOf);
    if (!options.normalize) return embeddings;
    const count = isTensor(image) ? image.shape[0] : 1;
    return normalized(embeddings, embeddings.length / count);
  }

  async logits(image: ModelInput, options: ImageOptions = {}): Promise<Float32Array> {
    return this.runAny(image, options, logitsOf);
  }

  watch(video: HTMLVideoElement | MediaStreamTrack, options?: WatchOptions): AsyncIterable<Watched> {
    return watch(this, video, options);
  }

  async preprocess(image: ImageSource, options: ImageOptions = {}): Promise<Tensor> {
    const input = await this.session.decode(image, options);
    const { session } = this;
    const plan = session.put(input);
    return { data: session.input(plan).slice(), shape: [1, plan.height, plan.width, 3] };
  }

  async profile(input?: Tensor, { signal }: Pick<InputOptions, 'signal'> = {}): Promise<LayerTiming[]> {
    throwIfAborted(signal);
    const { session } = this;
    const [n, height, width] = input?.shape ?? [1, this.inputSize, this.inputSize];
    if (n !== 1) throw new ShapeError(`profile() takes a batch of 1; got ${n}.`);
    const noise = () => Float32Array.from({ length: height * width * 3 }, (_, i) => Math.sin(i * 12.9898) * 1.5);
    return session.profile(() => {
      const plan = session.plan(height, width);
      session.input(plan).set(input ? input.data : noise());
      return plan;
    });
  }

  save({ names }: SaveOptions = {}): Uint8Array {
    const { network } = this.session;
    return names ? writeCheckpoint(network, names) : writeNative(network);
  }

  dispose(): void {
    sessions.get(this)?.dispose();
    sessions.delete(this);
  }

  [DISPOSE](): void {
    this.dispose();
  }

  private async runAny(image: ModelInput, options: ImageOptions, viewOf: (plan: Plan) => TensorView): Promise<Float32Array> {
    const input = await this.session.decode(image, options);
    return isTensor(input) ? this.runBatch(input, viewOf) : this.runOne(input, viewOf);
  }

  private runOne(input: Pixels | Tensor, viewOf: (plan: Plan) => TensorView): Float32Array {
    const { session } = this;
    const plan = session.infer(() => session.put(input));
    return session.output(viewOf(plan)).slice();
  }

  /** Image by image: activations stay in the cache, and the memory of one image serves any batch. */
  private runBatch(input: Tensor, viewOf: (plan: Plan) => TensorView): Float32Array {
    const { session } = this;
    checkInput(input);
    const [n, height, width] = input.shape;
    const size = height * width * 3;
    const channels = viewOf(session.plan(height, width)).shape[2];
    const result = new Float32Array(n * channels);
    for (let i = 0; i < n; i++) {
      const data = input.data.subarray(i * size, (i + 1) * size);
      const plan = session.infer(() => session.put({ data, shape: [1, height, width, 3] }));
      result.set(session.output(viewOf(plan)), i * channels);
    }
    return result;
  }
}

const embeddingOf = ({ results }: Plan): TensorView => results.embedding;

function logitsOf({ results }: Plan): TensorView {
  if (results.logits) return results.logits;
  throw new UnsupportedModelError('this network has no classifier, so it gives no logits; use embed() for its features.');
}

export function runtimeOptions({ simd = 'auto', threads = 1, kernels = 'auto' }: LoadOptions): RuntimeOptions {
  if (!SIMD_CHOICES.includes(simd)) throw new InputError(`simd must be one of ${SIMD_CHOICES.join(', ')}; got ${simd}.`);
  if (threads !== 'auto' && !(Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS)) {
    throw new InputError(`threads must be 'auto' or a whole number from 1 to ${MOST_THREADS}; got ${threads}.`);
  }
  if (!KERNEL_CHOICES.includes(kernels)) throw new InputError(`kernels must be one of ${KERNEL_CHOICES.join(', ')}; got ${kernels}.`);
  return { simd, threads, kernels };
}

/** loadModel() on the calling thread, its helpers started by `startThread` if not by the platform. */
export async function loadLocalModel(source: ModelSource, options: LoadOptions = {}, startThread?: StartThread): Promise<Model> {
  throwIfAborted(options.signal);
  let network = await readNetwork(await openSource(source, options), options);
  throwIfAborted(options.signal);
  if (options.precision === 'float32' && network.lanes.size > 0) {
    network = (await import('../quantization/dequantize.js')).floatNetwork(network);
  }
  const { labels, preprocessing } = options;
  if (labels && labels.length !== network.graph.classes) {
    throw new ShapeError(`labels must name each of the ${network.graph.classes} classes; got ${labels.length}.`);
  }
  if (labels) network = { ...network, labels };
  if (preprocessing) network = { ...network, preprocessing: checkPreprocessing(preprocessing) };
  return localModel(network, { ...runtimeOptions(options), ...(startThread ? { startThread } : {}) });
}
