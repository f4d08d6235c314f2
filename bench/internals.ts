// What the benchmarks measure from inside: scripts/build-js.mjs bundles it to build/internals.js.
import { bytesSource } from '../src/source/source.js';
import { readNetwork as read } from '../src/weights/load.js';

export { buildGraph, buildTable } from '../src/architecture/build.js';
export { NETWORKS } from '../src/evaluation/paper/networks.js';
export { paperMarkdown } from '../src/evaluation/paper/report.js';
export { fuse } from '../src/graph/fusion.js';
export { inferShapes } from '../src/graph/graph.js';
export { IMAGENET_PREPROCESSING } from '../src/graph/network.js';
export { loadLocalModel, localModel, sessionOf } from '../src/model/local-model.js';
export { quantizeLocal, quantizeWith } from '../src/model/quantize.js';
export { calibrate } from '../src/quantization/calibrate.js';
export { SCHEMES } from '../src/quantization/schemes.js';
export { readSafetensors } from '../src/weights/safetensors-reader.js';
export { toFloat32 } from '../src/weights/tensors.js';

export const readNetwork = (bytes: Uint8Array) => read(bytesSource(bytes));
