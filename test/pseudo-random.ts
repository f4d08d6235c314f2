import { type BuildOptions, buildGraph } from '../src/architecture/build.js';
import type { ArchitectureName } from '../src/architecture/tables.js';
import type { ConvNode } from '../src/graph/graph.js';
import { type Convention, tensorNames } from '../src/weights/names.js';
import type { RawTensor } from '../src/weights/tensors.js';

// The twin of scripts/golden.py: weights that are a hash of their name and index.

function fnv1a(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193);
  return h >>> 0;
}

/** Uniform in [-1, 1). */
export function pseudoRandom(name: string, count: number, value: (u: number) => number = (u) => u): Float32Array {
  const seed = fnv1a(name);
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (Math.imul(i, 0x9e3779b1) + seed) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return value(((h ^ (h >>> 16)) >>> 0) / 2 ** 31 - 1);
  });
}

const raw = (shape: readonly number[], values: Float32Array): RawTensor => ({ dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) });

/** Tensors of a checkpoint as PyTorch names and lays them out. */
export function checkpoint(
  architecture: ArchitectureName,
  options: BuildOptions,
  convention: Convention = 'torchvision',
): Map<string, RawTensor> {
  const graph = buildGraph(architecture, options);
  const names = new Set(graph.nodes.map((node) => node.name));
  const expands = (block: number) => names.has(`blocks.${block}.expand`);
  const tensors = new Map<string, RawTensor>();
  const vector = (name: string, length: number, value: (u: number) => number) =>
    tensors.set(name, raw([length], pseudoRandom(name, length, value)));
  for (const node of graph.nodes.filter((each): each is ConvNode => each.kind === 'conv')) {
    const { filter, bias, batchNorm } = tensorNames(convention, architecture, node, expands);
    const fanIn = (node.inputChannels / node.groups) * node.kernel[0] * node.kernel[1];
    const linear = /^classifier/.test(filter);
    const shape = [node.channels, node.inputChannels / node.groups, ...(linear ? [] : node.kernel)];
    tensors.set(
      filter,
      raw(
        shape,
        pseudoRandom(filter, fanIn * node.channels, (u) => u * Math.sqrt(6 / fanIn)),
      ),
    );
    if (bias) vector(bias, node.channels, (u) => 0.2 * u);
    if (!batchNorm) continue;
    vector(`${batchNorm}.weight`, node.channels, (u) => 1 + 0.2 * u);
    vector(`${batchNorm}.bias`, node.channels, (u) => 0.2 * u);
    vector(`${batchNorm}.running_mean`, node.channels, (u) => 0.2 * u);
    vector(`${batchNorm}.running_var`, node.channels, (u) => 1 + 0.3 * u);
  }
  return tensors;
}
