import { type BuildOptions, buildGraph } from '../src/architecture/build.js';
import type { ArchitectureName } from '../src/architecture/tables.js';
import { type FloatWeights, IMAGENET_PREPROCESSING, type Network } from '../src/graph/network.js';

/** A small, fast, seeded generator (mulberry32), uniform in [0, 1). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const uniform = (next: () => number, length: number, low = -1, high = 1) =>
  Float32Array.from({ length }, () => low + (high - low) * next());

/** An architecture with pseudo-random weights whose activations neither die nor explode. */
export function randomNetwork(architecture: ArchitectureName, options: BuildOptions = {}, seed = 1): Network {
  const graph = buildGraph(architecture, options);
  const next = random(seed);
  const weights = new Map<string, FloatWeights>();
  for (const node of graph.nodes) {
    if (node.kind !== 'conv') continue;
    const fanIn = node.kernel[0] * node.kernel[1] * (node.inputChannels / node.groups);
    const bound = Math.sqrt(6 / fanIn);
    weights.set(node.name, { filter: uniform(next, fanIn * node.channels, -bound, bound), bias: uniform(next, node.channels, -0.2, 0.4) });
  }
  return { graph, weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING };
}
