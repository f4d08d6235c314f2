import platform from '#platform';
import { throwIfAborted } from '../abort.js';
import { moduleFor } from '../engine/engine.js';
import { DisposedError } from '../errors.js';
import type { ImageSource, ModelInput, ModelSource, Tensor } from '../inputs.js';
import {
  type ClassifyOptions,
  DISPOSE,
  type EmbedOptions,
  type ImageOptions,
  type InputOptions,
  type LoadOptions,
  type Model,
  type ModelFacts,
  type SaveOptions,
  type Watched,
  type WatchOptions,
} from '../model/model.js';
import { watch } from '../model/watch.js';
import type { QuantizeOptions } from '../quantization/calibrate.js';
import type { LayerTiming } from '../runtime/session.js';
import type { Prediction } from '../tasks/classification.js';
import { writeCheckpoint } from '../weights/export.js';
import { readNative } from '../weights/native-reader.js';
import { readSafetensors } from '../weights/safetensors-reader.js';
import { Connection } from './connection.js';
import type { Loaded, Method } from './protocol.js';

/** Undefined where no worker starts. */
export async function loadRemoteModel(
  source: ModelSource,
  { signal, onProgress, ...options }: Omit<LoadOptions, 'worker'>,
  worker: true | Worker,
): Promise<Model | undefined> {
  throwIfAborted(signal);
  const [connection, module] = await Promise.all([Connection.open(worker), moduleFor(options.simd, options.threads)]);
  if (!connection) return undefined;
  connection.retain();
  try {
    const args = [platform.absolute(source), options, module];
    const report = onProgress && ((loaded: number, total?: number) => onProgress(loaded, total));
    return new RemoteModel(connection, await connection.call<Loaded>(0, 'load', args, { signal, onProgress: report }));
  } catch (error) {
    connection.release();
    throw error;
  }
}

const Described = class {
  constructor(facts: ModelFacts) {
    Object.assign(this, facts);
  }
} as new (
  facts: ModelFacts,
) => ModelFacts;

/** quantize() of a model that loadRemoteModel() has given. */
export const quantizeRemote = (
  model: Model,
  calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>,
  options: QuantizeOptions,
): Promise<Model> => (model as RemoteModel).quantize(calibration, options);

/** A model in a worker: what it is, is known here; what it does, is asked there. */
class RemoteModel extends Described implements Model {
  private readonly id: number;
  private saved: Uint8Array | undefined;
  private readonly disposed = new AbortController();

  constructor(
    private readonly connection: Connection,
    { id, facts, saved }: Loaded,
  ) {
    super({ ...facts, runtimeFeatures: { ...facts.runtimeFeatures, worker: true } });
    this.id = id;
    this.saved = saved;
  }

  predict(input: Tensor, options?: InputOptions): Promise<Float32Array> {
    return this.ask('predict', input, options);
  }

  classify(image: ModelInput, options?: ClassifyOptions): Promise<Prediction[]> {
    return this.ask('classify', image, options);
  }

  embed(image: ModelInput, options?: EmbedOptions): Promise<Float32Array> {
    return this.ask('embed', image, options);
  }

  logits(image: ModelInput, options?: ImageOptions): Promise<Float32Array> {
    return this.ask('logits', image, options);
  }

  preprocess(image: ImageSource, options?: ImageOptions): Promise<Tensor> {
    return this.ask('preprocess', image, options);
  }

  watch(video: HTMLVideoElement | MediaStreamTrack, options?: WatchOptions): AsyncIterable<Watched> {
    return watch(this, video, options);
  }

  profile(input?: Tensor, { signal }: Pick<InputOptions, 'signal'> = {}): Promise<LayerTiming[]> {
    return this.settle(this.connection.call(this.id, 'profile', [input], { signal }));
  }

  save({ names }: SaveOptions = {}): Uint8Array {
    if (!this.saved) throw new DisposedError();
    return names ? writeCheckpoint(readNative(readSafetensors(this.saved)), names) : this.saved.slice();
  }

  dispose(): void {
    if (!this.saved) return;
    this.saved = undefined;
    this.disposed.abort();
    void this.connection.call(this.id, 'dispose', []).catch(() => undefined);
    this.connection.release();
  }

  [DISPOSE](): void {
    this.dispose();
  }

  /** quantize() where the float model is. */
  async quantize(calibration: Iterable<ModelInput> | AsyncIterable<ModelInput>, options: QuantizeOptions): Promise<Model> {
    const { signal, onProgress, onFrontier: _, ...rest } = options;
    async function* inputs() {
      for await (const input of calibration) yield platform.portable(input, false);
    }
    // Calibration runs on the baseline, so that every machine gives the same bytes; the worker has no binary of its own.
    const args = [rest, await moduleFor('baseline')];
    const loaded = await this.settle(this.connection.call<Loaded>(this.id, 'quantize', args, { signal, onProgress, inputs: inputs() }));
    this.connection.retain();
    return new RemoteModel(this.connection, loaded);
  }

  private async ask<T>(method: Method, input: ModelInput, { transfer: give = false, signal, ...rest }: InputOptions = {}): Promise<T> {
    if (!this.saved) throw new DisposedError();
    throwIfAborted(signal);
    const { value, transfer } = await platform.portable(input, give, signal);
    return this.settle(this.connection.call<T>(this.id, method, [value, rest], { signal, transfer }));
  }

  /** The answer, or the news that the model was disposed meanwhile. */
  private settle<T>(answer: Promise<T>): Promise<T> {
    const { signal } = this.disposed;
    if (signal.aborted) {
      answer.catch(() => undefined);
      return Promise.reject(new DisposedError());
    }
    return new Promise<T>((resolve, reject) => {
      const disposed = () => reject(new DisposedError());
      signal.addEventListener('abort', disposed);
      answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', disposed));
    });
  }
}
