// Who runs against whom, in Node and in a page alike: `engine` brings the peers' modules, loaded as that place loads them.
import { litert } from './litert.mjs';
import { onnxruntime } from './onnxruntime.mjs';
import { ours } from './ours.mjs';
import { tfjs } from './tfjs.mjs';

/** Of the logits' standard deviation: float contenders compute the same function; int8 ones are told apart by accuracy, not here. */
const FLOAT_TOLERANCE = 1e-3;

/** Small deterministic noise, about as large as normalised pixels are. */
export const noise = (length) => Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * 1.5);

/** The same of probabilities, between two engines that round one quantized network each in its way. */
const QUANTIZED_TOLERANCE = 0.05;

/** @param y logits, or probabilities as bytes, in 256ths @returns probabilities */
function probabilities(y) {
  if (y instanceof Uint8Array) return Float32Array.from(y, (x) => x / 256);
  const high = y.reduce((most, x) => Math.max(most, x), Number.NEGATIVE_INFINITY);
  const shares = Float32Array.from(y, (x) => Math.exp(x - high));
  const sum = shares.reduce((total, x) => total + x, 0);
  return shares.map((x) => x / sum);
}

/**
 * @param engine { loadModel, readNetwork, detectFeatures }, and the peers: ort, ortNative with onnxModel, tf, litert with inferShapes and
 *   tfliteModel; those that are missing are left out
 * @param model { float32, int8 } weights files' bytes, { ranges } of its tensors; or { quantized } a .tflite file's bytes that takes
 *   and gives bytes, { picture } RGB bytes of its size
 * @param threads of every contender
 * @returns contenders, each { name, precision, threads, run, dispose, deviation }. Float ones give the same logits, those of one
 *   quantized file the same probabilities: checked here
 */
export async function contenders(engine, model, { deviation, threads }) {
  const all = [];
  const add = async (precision, making) => all.push({ precision, threads, ...(await making) });
  const { relaxedSimd } = engine.detectFeatures();
  const simds = relaxedSimd ? ['baseline', 'relaxed'] : ['baseline'];
  await (model.quantized ? ofQuantized : ofNetwork)(engine, model, simds, threads, add);
  const [reference, ...others] = all;
  const comparable = model.quantized ? probabilities : (y) => y;
  const expected = comparable(Float32Array.from(await reference.run()));
  for (const contender of others) {
    contender.deviation = deviation(expected, comparable(await contender.run()));
    const tolerance = model.quantized
      ? QUANTIZED_TOLERANCE
      : contender.precision === 'float32'
        ? FLOAT_TOLERANCE
        : Number.POSITIVE_INFINITY;
    if (!(contender.deviation < tolerance)) {
      throw new Error(`${contender.name} gives other results than ${reference.name}: ${contender.deviation} of their standard deviation.`);
    }
  }
  return all;
}

async function ofQuantized({ loadModel, litert: engine }, { quantized, picture }, simds, threads, add) {
  const model = await loadModel(quantized);
  const { mean, std } = model.preprocessing;
  const side = model.inputSize;
  model.dispose();
  const input = Float32Array.from(picture, (x, i) => (x / 255 - mean[i % 3]) / std[i % 3]);
  for (const simd of simds) await add('int8', ours(`ours, int8, ${simd}`, quantized, side, input, { loadModel, simd, threads }));
  if (engine) await add('int8', litert(engine, 'LiteRT.js, int8', quantized, side, picture, threads));
}

async function ofNetwork(engine, model, simds, threads, add) {
  const network = await engine.readNetwork(model.float32);
  const side = network.graph.resolution;
  const input = noise(side * side * 3);
  for (const simd of simds) {
    for (const precision of ['float32', 'int8']) {
      const name = `ours, ${precision}, ${simd}`;
      await add(precision, ours(name, model[precision], side, input, { loadModel: engine.loadModel, simd, threads }));
    }
  }
  if (engine.tf) await add('float32', tfjs(engine.tf, 'tfjs-backend-wasm, float32', network, side, input));
  if (engine.litert) {
    const shapes = engine.inferShapes(network.graph.nodes, [['input', [side, side, 3]]]);
    await add('float32', litert(engine.litert, 'LiteRT.js, float32', engine.tfliteModel(network, shapes), side, input, threads));
  }
  const float = engine.onnxModel?.(network, side);
  if (engine.ort) {
    await add('float32', onnxruntime(engine.ort, 'onnxruntime-web, float32', float, side, input, threads));
    const qdq = engine.onnxModel(network, side, new Map(Object.entries(model.ranges)));
    await add('int8', onnxruntime(engine.ort, 'onnxruntime-web, int8 (QDQ)', qdq, side, input, threads));
  }
  if (engine.ortNative) {
    await add('float32', onnxruntime(engine.ortNative, 'onnxruntime-node, native, float32', float, side, input, threads));
  }
}
