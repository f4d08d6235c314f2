import type { ArchitectureName } from '../architecture/tables.js';
import type { Simd } from '../engine/variants.js';
import type { Preprocessing } from '../graph/network.js';
import type { NetworkSummary } from '../graph/summary.js';
import type { ImageSource, ModelInput, Tensor } from '../inputs.js';
import type { LayerTiming } from '../runtime/session.js';
import type { Kernels, WayName } from '../runtime/way.js';
import type { HubOptions } from '../source/types.js';
import type { Prediction } from '../tasks/classification.js';

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
  readonly onProgress?: (loadedBytes: number, totalBytes?: number) => void;
}

export interface InputOptions {
  /** Gives the input's memory to a model in a worker instead of copying it: it cannot be used afterwards. */
  readonly transfer?: boolean;
}

export interface SaveOptions {
  /** Whose tensor names and layouts; this package's own where it is left out. */
  readonly names?: 'torchvision' | 'timm';
}

export interface ClassifyOptions extends InputOptions {
  readonly topK?: number;
  readonly signal?: AbortSignal;
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
   * @throws ShapeError, DisposedError
   */
  predict(input: Tensor, options?: InputOptions): Promise<Float32Array>;
  /** The classes of an image, most probable first. */
  classify(image: ModelInput, options?: ClassifyOptions): Promise<Prediction[]>;
  /** The pooled features before the classifier, of an image or of each input of a batch. */
  embed(image: ModelInput, options?: InputOptions): Promise<Float32Array>;
  /** Logits of an image, preprocessed as classify() does it. */
  logits(image: ModelInput, options?: InputOptions): Promise<Float32Array>;
  /** An image as the network sees it: resized, cropped, normalised. */
  preprocess(image: ImageSource): Promise<Tensor>;
  /** Median milliseconds of every node, on `input` or on noise. */
  profile(input?: Tensor): Promise<LayerTiming[]>;
  /**
   * The model as safetensors; loadModel() of it gives bit-identical logits. With `names` a float model goes back to Python:
   * load_state_dict() of that library's module takes the file.
   *
   * @throws UnsupportedModelError with `names` for an int8 model, or one that pads as TensorFlow does
   */
  save(options?: SaveOptions): Uint8Array;
  /** Gives the memory back and ends the workers. What was begun and everything but dispose() fails with DisposedError. */
  dispose(): void;
}
