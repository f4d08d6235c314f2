export { describe } from './architecture/describe.js';
export { ARCHITECTURE_NAMES, type ArchitectureName } from './architecture/tables.js';
export type { Compiled } from './engine/compiled.js';
export { detectFeatures, type Features } from './engine/features.js';
export type { Simd, Variant } from './engine/variants.js';
export * from './errors.js';
export { type BlockLatency, type Estimate, estimate, type LatencyTable, type LayerLatency } from './evaluation/latency/estimate.js';
export type { LayerShape } from './evaluation/latency/layers.js';
export { type LayerError, layerErrors } from './evaluation/layer-error.js';
export {
  type Comparison,
  compare,
  type Disagreement,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Latency,
  type Sample,
} from './evaluation/metrics.js';
export type { Similarity } from './evaluation/similarity.js';
export type { Shape } from './graph/graph.js';
export type { Preprocessing } from './graph/network.js';
export type { BlockSummary, LayerSummary, NetworkSummary } from './graph/summary.js';
export type { Box, Framing, ImageSource, ModelInput, ModelSource, Pixels, Tensor } from './inputs.js';
export { loadModel, quantize } from './load.js';
export type {
  ClassifyOptions,
  EmbedOptions,
  ImageOptions,
  InputOptions,
  LoadOptions,
  Model,
  ModelFacts,
  RuntimeFeatures,
  SaveOptions,
  Watched,
  WatchOptions,
} from './model/model.js';
export type { QuantizeOptions } from './quantization/calibrate.js';
export type { Frontier, FrontierPoint } from './quantization/frontier.js';
export type { Costs, TensorCost } from './quantization/tensor-costs.js';
export type { LayerTiming } from './runtime/session.js';
export type { Kernels as WayChoice, WayName } from './runtime/way.js';
export type { HubOptions } from './source/types.js';
export type { Choice, Prediction } from './tasks/classification.js';
export { cosineSimilarity } from './tasks/embedding.js';
