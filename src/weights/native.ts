import type { ConvNode, Graph } from '../graph/graph.js';
import { isQuantized, type Network, type Weights } from '../graph/network.js';
import { writeSafetensors } from './safetensors.js';
import type { RawTensor } from './tensors.js';

/*
 * This package's own files: safetensors whose metadata holds the graph. A node's tensors are
 *
 *   NODE.filter   F32 or I8 [kernelHeight, kernelWidth, inputChannels / groups, channels]
 *   NODE.bias     F32, or I32 in units of input scale x filter scale
 *   NODE.scale    F32 [channels], quantized filters only
 *   NODE.lanes    F32 [channels], for tensors quantized with a scale a channel; a scale a tensor is in the metadata, and
 *                 so is what filters whose rows have taken these scales in read instead, the "unit"
 */

export const FORMAT = 'mobilenet-v3-wasm';
/** Version 1 had the embedding's name in the graph and its last node for logits; version 2 names all outputs. */
export const VERSION = 2;

export interface Description {
  readonly version: number;
  readonly graph: Graph;
  readonly zeroPoints: Record<string, number>;
  readonly lanes: Record<string, { scale?: number; unit?: number; low: number; high: number }>;
  readonly preprocessing: unknown;
}

const raw = (dtype: RawTensor['dtype'], shape: readonly number[], values: ArrayBufferView): RawTensor => ({
  dtype,
  shape,
  bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
});

/** Bytes that readNative turns back into the same numbers, and the same network into the same bytes. */
export function writeNative(network: Network): Uint8Array {
  const tensors = new Map<string, RawTensor>();
  const zeroPoints: Description['zeroPoints'] = {};
  for (const node of network.graph.nodes) {
    if (node.kind !== 'conv') continue;
    const weights = network.weights.get(node.name) as Weights;
    tensors.set(`${node.name}.filter`, raw(isQuantized(weights) ? 'I8' : 'F32', filterShape(node), weights.filter));
    tensors.set(`${node.name}.bias`, raw(isQuantized(weights) ? 'I32' : 'F32', [node.channels], weights.bias));
    if (!isQuantized(weights)) continue;
    tensors.set(`${node.name}.scale`, raw('F32', [node.channels], weights.scale));
    if (weights.zeroPoint !== 0) zeroPoints[node.name] = weights.zeroPoint;
  }
  const lanes: Description['lanes'] = {};
  for (const [name, { scale, unit, low, high }] of network.lanes) {
    lanes[name] = typeof scale === 'number' ? { scale, low, high } : { ...(unit === undefined ? {} : { unit }), low, high };
    if (typeof scale !== 'number') tensors.set(`${name}.lanes`, raw('F32', [scale.length], scale));
  }
  const description: Description = { version: VERSION, graph: network.graph, zeroPoints, lanes, preprocessing: network.preprocessing };
  const metadata: Record<string, string> = { format: FORMAT, network: JSON.stringify(description) };
  if (network.labels) metadata['labels'] = JSON.stringify(network.labels);
  return writeSafetensors({ tensors, metadata });
}

export const filterShape = (node: ConvNode) => [...node.kernel, node.inputChannels / node.groups, node.channels];
