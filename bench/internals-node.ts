// What bench/quantization.mjs takes from inside: scripts/build-js.mjs bundles it to build/internals-node.js.
export { Images } from '../src/cli/images.js';
export { calibrateOn, calibrationFiles, load, quantizeOn } from '../src/cli/models.js';
export { listLabelled } from '../src/evaluation/dataset.js';
export { ladder } from '../src/evaluation/ladder.js';
export { sessionOf } from '../src/model/local-model.js';
export { quantizeWith } from '../src/model/quantize.js';
export { cheapest, frontier } from '../src/quantization/frontier.js';
export { SCHEMES } from '../src/quantization/schemes.js';
export { tensorCosts } from '../src/quantization/tensor-costs.js';
export { writeOnnx } from '../src/weights/onnx/write.js';
export { writeTflite } from '../src/weights/tflite/write.js';
