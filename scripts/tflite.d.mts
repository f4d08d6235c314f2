import type { Shape } from '../src/graph/graph.js';
import type { Network } from '../src/graph/network.js';

export function tfliteModel(network: Network, shapes: ReadonlyMap<string, Shape>): Uint8Array<ArrayBuffer>;
