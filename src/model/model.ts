import type { ArchitectureName } from '../architecture/tables.js';
import type { Compiled } from '../engine/compiled.js';
import type { Simd } from '../engine/variants.js';
import type { Preprocessing } from '../graph/network.js';
import type { NetworkSummary } from '../graph/summary.js';
import type { Framing, ImageSource, ModelInput, Tensor } from '../inputs.js';
import type { LayerTiming } from '../runtime/session.js';
import type { Kernels, WayName } from '../runtime/way.js';
import type { HubOptions } from '../source/types.js';
import type { Choice, Prediction } from '../tasks/classification.js';

/** Symbol.dispose, and what compilers of `using` take where an engine has none yet. */
export const DISPOSE: typeof Symbol.dispose = Symbol.dispose ?? Symbol.for('Symbol.dispose');

export interface LoadOptions {
  /** Settles the architecture where a file's tensors would fit several. */
  readonly architecture?: ArchitectureName;
  readonly width?: number;
  /** Between the fully connected layers of a head of one's own in a PyTorch checkpoint, which its tensors do not tell: 'relu' by default. */
  readonly headActivation?: 'relu' | 'relu6' | 'hardSwish' | 'none';
  /** 'float32' runs a quantized file by the float network behind it; without it a file runs as what it is. */
  readonly precision?: 'float32';
  readonly threads?: number | 'auto';
  readonly simd?: Simd;
  /**
   * The kernels, compiled by you: for runtimes that forbid compiling bytes, such as Cloudflare's. `mobilenet-v3-wasm-standalone/relaxed.wasm` and
   * `mobilenet-v3-wasm-standalone/baseline.wasm` are the binaries; give one, or both for engines that may lack relaxed SIMD. All models from
   * then on run them, on one thread.
   */
  readonly compiled?: Compiled;
  /**
   * How the sums of int8 networks are computed: 'pairs' is for x86, 'products' and 'planes' for arm64. All give the same bits; 'auto',
   * the default, takes the fastest way of this engine, and may change it after the first inferences.
   */
  readonly kernels?: Kernels;
  /** One a class. */
  readonly labels?: readonly string[];
  readonly preprocessing?: Preprocessing;
  /** How 'hf:' sources are fetched. */
  readonly hub?: HubOptions;
  /**
   * Runs the model in a worker, so that the page's main thread stays free; on the calling thread where no worker starts.
   * A worker of your own is one that runs `mobilenet-v3-wasm/worker`: for pages whose policy allows scripts of their
   * own origin only. It holds any number of models and is not ended by dispose().
   */
  readonly worker?: boolean | Worker;
  readonly signal?: AbortSignal;
  /** Hears of all files of a model together; `totalBytes` grows when another one begins. */
  readonly onProgress?: (loadedBytes: number, totalBytes?: number) => void;
}

export interface InputOptions {
  /** Ends the call with an AbortError. */
  readonly signal?: AbortSignal;
  /** Gives the input's memory to a model in a worker instead of copying it: it cannot be used afterwards. */
  readonly transfer?: boolean;
}

export interface SaveOptions {
  /** Whose tensor names and layouts; this package's own where it is left out. */
  readonly names?: 'torchvision' | 'timm';
}

export interface ImageOptions extends InputOptions, Framing {}

export interface ClassifyOptions extends ImageOptions, Choice {}

export interface EmbedOptions extends ImageOptions {
  /** Brings each embedding to length 1, as vector databases want it; false where it is left out. */
  readonly normalize?: boolean;
}

export type WatchOptions = Omit<ClassifyOptions, 'transfer'>;

/** What watch() gives for a frame. */
export interface Watched {
  readonly predictions: Prediction[];
  /** When the frame was shown: milliseconds as performance.now() counts them. */
  readonly timestamp: number;
  /** Frames that came since the one before, and were left out. */
  readonly skipped: number;
}

export interface RuntimeFeatures {
  readonly threads: number;
  readonly simd: 'baseline' | 'relaxed';
  /** How sums of int8 networks are computed now. */
  readonly kernels: WayName;
  /** Whether it runs in a worker. */
  readonly worker: boolean;
}

/** What a model is, known without asking it. */
export interface ModelFacts {
  readonly architecture: string;
  readonly precision: 'float32' | 'int8';
  /** What `threads`, `simd` and `worker` came to here. */
  readonly runtimeFeatures: RuntimeFeatures;
  /** The side in pixels that images are brought to. */
  readonly inputSize: number;
  /** 0 for a network without a classifier: embed() works, predict() and classify() do not. */
  readonly classes: number;
  /** One a class; "class 7" where nothing names them. */
  readonly labels: readonly string[];
  /** Whether the file or the caller named the classes. */
  readonly hasLabels: boolean;
  readonly preprocessing: Preprocessing;
  /** Blocks, parameters and multiply-adds. */
  readonly summary: NetworkSummary;
  /** Bytes of activations at the model's own input size, and the most of them that live at once. */
  readonly memory: { readonly arenaBytes: number; readonly liveBytes: number; readonly totalBytes: number };
  /** Convolutions of an int8 model that were kept in float32. */
  readonly floatLayers: readonly string[];
}

/** A loaded network. Methods may be called concurrently; they run one after the other. */
export interface Model extends ModelFacts {
  /**
   * Logits of a batch.
   *
   * @param input [n, h, w, 3], h and w from 32 to 512, normalised as `preprocessing` says
   * @returns n x classes values, row by row
   * @throws ShapeError for another shape, UnsupportedModelError for a network without a classifier, AbortError, DisposedError
   * @example
   * const logits = await model.predict({ data: new Float32Array(224 * 224 * 3), shape: [1, 224, 224, 3] });
   */
  predict(input: Tensor, options?: InputOptions): Promise<Float32Array>;
  /**
   * The classes of an image, most probable first: `topK` at most, of `scoreThreshold` at least.
   *
   * @param image of any size; it is resized, cropped and normalised as `preprocessing` says. A tensor must be [1, h, w, 3] and is taken
   *   as it is
   * @throws ShapeError for an option that is out of range, ImageError for a file that is not an image, UnsupportedModelError for a
   *   network without a classifier, AbortError, DisposedError
   * @example
   * const [best] = await model.classify(image, { topK: 1 });
   * const sure = await model.classify(image, { scoreThreshold: 0.5, regionOfInterest: { x: 0, y: 0, width: 200, height: 200 } });
   */
  classify(image: ModelInput, options?: ClassifyOptions): Promise<Prediction[]>;
  /**
   * The pooled features before the classifier, of an image or of each input of a batch. cosineSimilarity() compares two.
   *
   * @returns n x size values, row by row; size is 576 for V3-Small of width 1.0, 960 for V3-Large
   * @throws ShapeError, ImageError, AbortError, DisposedError as classify() does; InputError with `normalize` for values that are not finite
   * @example
   * const embedding = await model.embed(image, { normalize: true });
   */
  embed(image: ModelInput, options?: EmbedOptions): Promise<Float32Array>;
  /**
   * Logits of an image, preprocessed as classify() does it.
   *
   * @returns one value a class
   * @throws ShapeError, ImageError, UnsupportedModelError, AbortError, DisposedError as classify() does
   * @example
   * const logits = await model.logits(image);
   */
  logits(image: ModelInput, options?: ImageOptions): Promise<Float32Array>;
  /**
   * An image as the network sees it: resized, cropped, normalised.
   *
   * @returns [1, inputSize, inputSize, 3]
   * @throws ShapeError, ImageError, AbortError, DisposedError
   * @example
   * const tensor = await model.preprocess(image); // predict() takes it
   */
  preprocess(image: ImageSource, options?: ImageOptions): Promise<Tensor>;
  /**
   * classify() on a video's or a camera's newest frame, again and again: frames that come while one is computed or while your loop is
   * busy are left out, never queued. The loop ends with the video or the track, by `break`, or by `signal`. Pages only.
   *
   * @param video an element of the page, or a track of `navigator.mediaDevices.getUserMedia()`, which is not stopped
   * @throws InputError for anything else, in Node, and for a video that cannot be played; AbortError when `signal` ends it; as
   *   classify() does
   * @example
   * for await (const { predictions } of model.watch(document.querySelector('video'), { topK: 1 })) {
   *   document.title = predictions[0].label;
   * }
   */
  watch(video: HTMLVideoElement | MediaStreamTrack, options?: WatchOptions): AsyncIterable<Watched>;
  /**
   * Median time of every node in nine runs, on `input` or on noise.
   *
   * @param input [1, h, w, 3]
   * @returns milliseconds, in the order in which the nodes run
   * @throws ShapeError, AbortError, DisposedError
   * @example
   * const slowest = (await model.profile()).sort((a, b) => b.milliseconds - a.milliseconds)[0];
   */
  profile(input?: Tensor, options?: Pick<InputOptions, 'signal'>): Promise<LayerTiming[]>;
  /**
   * The model as safetensors; loadModel() of it gives bit-identical logits. With `names` a float model goes back to Python:
   * load_state_dict() of that library's module takes the file.
   *
   * @throws UnsupportedModelError with `names` for an int8 model, or one that pads as TensorFlow does; DisposedError
   * @example
   * const bytes = model.save();
   */
  save(options?: SaveOptions): Uint8Array;
  /**
   * Gives the memory back and ends the workers. What was begun and everything but dispose() fails with DisposedError.
   *
   * @example
   * model.dispose();
   */
  dispose(): void;
  /**
   * dispose(), at the end of a block.
   *
   * @example
   * using model = await loadModel(source);
   */
  [Symbol.dispose](): void;
}
