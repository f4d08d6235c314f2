// What quantize() makes of a small network and a few images, as hashes: for arm64.mjs. The same on every machine.
import { createHash } from 'node:crypto';
import { buildGraph, fuse, IMAGENET_PREPROCESSING, localModel, quantizeLocal } from '../build/internals.js';

const SIDE = 64;
/** A few digits of a sine: no machine's own. */
const wave = (i, step) => Math.round(Math.sin(i * step) * 4096) / 4096;
const graph = buildGraph('mobilenet_v3_small', { classes: 31, width: 0.25 });
const weights = new Map();
for (const node of graph.nodes) {
  if (node.kind !== 'conv') continue;
  const fanIn = node.kernel[0] * node.kernel[1] * (node.inputChannels / node.groups);
  const bound = Math.sqrt(6 / fanIn);
  const filter = Float32Array.from({ length: fanIn * node.channels }, (_, i) => wave(i, 12.9898 + node.channels) * bound);
  weights.set(node.name, { filter, bias: Float32Array.from({ length: node.channels }, (_, i) => 0.1 + 0.2 * wave(i, 7.77)) });
}
const float = await localModel(fuse({ graph, weights, lanes: new Map(), preprocessing: IMAGENET_PREPROCESSING }));
const images = [0.013, 0.0171, 0.29, 1.7].map((step) => ({
  data: Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => 1.5 * wave(i, step)),
  shape: [1, SIDE, SIDE, 3],
}));
const results = [];
for (const options of [{}, { rounding: 'nearest' }, { activations: 8 }, { activations: 8, budget: 0.999 }]) {
  const bytes = (await quantizeLocal(float, images, options)).save();
  results.push({ options, sha256: createHash('sha256').update(bytes).digest('hex') });
}
console.log(JSON.stringify({ arch: process.arch, results }));
