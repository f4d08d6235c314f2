import type { Shape } from '../src/graph/graph.js';
import type { Network } from '../src/graph/network.js';

export type KeptWeights = 'float32' | 'float16' | 'dynamicRange';
export function tfliteModel(network: Network, shapes: ReadonlyMap<string, Shape>, weights?: KeptWeights): Uint8Array<ArrayBuffer>;
export function toFloat16(values: Float32Array): Uint16Array<ArrayBuffer>;
