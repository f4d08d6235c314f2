// What the benchmarks measure from inside: scripts/build-js.mjs bundles it to build/internals.js.
import { bytesSource } from '../src/source/source.js';
import { readNetwork as read } from '../src/weights/load.js';

export { buildGraph } from '../src/architecture/build.js';
export { fuse } from '../src/graph/fusion.js';
export { inferShapes } from '../src/graph/graph.js';
export { IMAGENET_PREPROCESSING } from '../src/graph/network.js';
export { loadLocalModel, localModel, sessionOf } from '../src/model/local-model.js';
export { quantizeLocal } from '../src/model/quantize.js';

export const readNetwork = (bytes: Uint8Array) => read(bytesSource(bytes));
