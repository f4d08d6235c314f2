// Who runs against whom, in Node and in a page alike: `engine` brings the peers' modules, loaded as that place loads them.
import { litert } from './litert.mjs';
import { onnxModel } from './onnx-model.mjs';
import { onnxruntime } from './onnxruntime.mjs';
import { ours } from './ours.mjs';
import { tfjs } from './tfjs.mjs';

/** Of the logits' standard deviation: float contenders compute the same function; int8 ones are told apart by accuracy, not here. */
const FLOAT_TOLERANCE = 1e-3;

/** Small deterministic noise, about as large as normalised pixels are. */
export const noise = (length) => Float32Array.from({ length }, (_, i) => Math.sin(i * 12.9898) * 1.5);

/**
 * @param engine { loadModel, readNetwork, detectFeatures, ort, ortNative, tf, litert with inferShapes and tfliteModel };
 *   peers that are missing are left out
 * @param model { float32, int8 } weights files' bytes, { ranges } of its tensors
 * @returns contenders, each { name, precision, threads, run, dispose }
 */
export async function contenders(engine, model, { deviation, threads = [1, 2] }) {
  const network = await engine.readNetwork(model.float32);
  const side = network.graph.resolution;
  const input = noise(side * side * 3);
  const { relaxedSimd } = engine.detectFeatures();
  const all = [];
  const add = async (precision, threads, making) => all.push({ precision, threads, ...(await making) });
  for (const simd of relaxedSimd ? ['baseline', 'relaxed'] : ['baseline']) {
    for (const count of threads) {
      for (const precision of ['float32', 'int8']) {
        const name = `ours, ${precision}, ${simd}, ${count} thread${count > 1 ? 's' : ''}`;
        await add(precision, count, ours(name, model[precision], side, input, { loadModel: engine.loadModel, simd, threads: count }));
      }
    }
  }
  if (engine.tf) await add('float32', 1, tfjs(engine.tf, 'tfjs-backend-wasm, float32', network, side, input));
  if (engine.litert) {
    const { graph } = network;
    const shapes = engine.inferShapes(graph.nodes, [['input', [side, side, 3]]]);
    await add('float32', 1, litert(engine.litert, 'LiteRT.js, float32', engine.tfliteModel(network, shapes), side, input));
  }
  const float = onnxModel(network, side);
  if (engine.ort) {
    await add('float32', 1, onnxruntime(engine.ort, 'onnxruntime-web, float32', float, side, input));
    const qdq = onnxModel(network, side, new Map(Object.entries(model.ranges)));
    await add('int8', 1, onnxruntime(engine.ort, 'onnxruntime-web, int8 (QDQ)', qdq, side, input));
  }
  if (engine.ortNative) await add('float32', 1, onnxruntime(engine.ortNative, 'onnxruntime-node, native, float32', float, side, input));

  const [reference, ...others] = all;
  const expected = Float32Array.from(await reference.run());
  for (const contender of others) {
    contender.deviation = deviation(expected, await contender.run());
    if (contender.precision === 'float32' && !(contender.deviation < FLOAT_TOLERANCE)) {
      throw new Error(`${contender.name} gives other logits than ${reference.name}: ${contender.deviation} of their standard deviation.`);
    }
  }
  return all;
}
