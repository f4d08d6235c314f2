// node scripts/golden-onnx.mjs > test/golden/onnx.json: what onnxruntime computes of the files that test/weights/onnx-writer.ts writes,
// and the ranges of tensors with which it writes those in integers. Before it: npm --prefix bench ci --ignore-scripts
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const { InferenceSession, Tensor } = createRequire(new URL('../bench/', import.meta.url))('onnxruntime-node');
const options = { entryPoints: ['test/weights/onnx-writer.ts'], bundle: true, write: false, format: 'esm', platform: 'node' };
const [{ text }] = (await build(options)).outputFiles;
const { networkFor, onnxModel, PIXELS, SHARD, SIDE, SPELLINGS } = await import(`data:text/javascript,${encodeURIComponent(text)}`);

const channelsFirst = Float32Array.from(PIXELS, (_, i) => PIXELS[(i % (SIDE * SIDE)) * 3 + Math.floor(i / (SIDE * SIDE))]);
const folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-golden-'));
const run = async ({ file, shard }) => {
  writeFileSync(join(folder, 'model.onnx'), file);
  writeFileSync(join(folder, SHARD), shard);
  const session = await InferenceSession.create(join(folder, 'model.onnx'), { graphOptimizationLevel: 'all', intraOpNumThreads: 1 });
  return session.run({ input: new Tensor('float32', channelsFirst, [1, 3, SIDE, SIDE]) });
};
const rangeOf = (values) => [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];

const golden = {};
for (const spelling of SPELLINGS) {
  const network = networkFor(spelling);
  const integers = spelling === 'qdq' || spelling === 'qlinear';
  const seen = integers ? await run(onnxModel(network, 'float', {}, true)) : {};
  const ranges = Object.fromEntries(Object.entries(seen).map(([name, { data }]) => [name, rangeOf(data)]));
  if (integers) ranges.input = rangeOf(PIXELS);
  const files = onnxModel(network, spelling, ranges);
  const answers = await run(files);
  golden[spelling] = { ...(integers ? { ranges } : {}), logits: [...answers[files.names[0]].data] };
}
console.log(JSON.stringify(golden, null, 1));
