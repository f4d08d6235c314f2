import { readFileSync } from 'node:fs';
import { fuse } from '../../src/graph/fusion.js';
import { loadModel } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { networkFor, onnxModel, PIXELS, type Quantizing, SHARD, SIDE, SPELLINGS, type TensorRanges } from './onnx-writer.js';
import { cosine, worst } from './wild.js';

// Made by onnxruntime (scripts/golden-onnx.mjs) of the files that onnx-writer.ts writes.
const GOLDEN: Record<Quantizing, { ranges?: TensorRanges; logits: number[] }> = JSON.parse(readFileSync('test/golden/onnx.json', 'utf8'));
const image = { data: PIXELS, shape: [1, SIDE, SIDE, 3] } as const;
const architectureOf = (spelling: Quantizing) => (spelling === 'qlinear' ? 'mobilenet_v2' : 'mobilenet_v3_small');

const load = (spelling: Quantizing, options = {}) => {
  const { file, shard } = onnxModel(networkFor(spelling), spelling, GOLDEN[spelling].ranges);
  return loadModel([new File([file as BlobPart], 'model.onnx'), new File([shard as BlobPart], SHARD)], options);
};

it.each(SPELLINGS)('reads %s: the answer is that of onnxruntime', async (spelling) => {
  const model = await load(spelling);
  const { logits } = GOLDEN[spelling];
  const actual = await model.predict(image);
  const integers = spelling === 'qdq' || spelling === 'qlinear';
  expect(model).toMatchObject({ architecture: architectureOf(spelling), classes: 9, precision: integers ? 'int8' : 'float32' });
  expect(actual.indexOf(Math.max(...actual))).toBe(logits.indexOf(Math.max(...logits)));
  if (spelling === 'external') expect(worst(actual, logits)).toBeLessThan(1e-5);
  else if (spelling === 'paddle') expect(worst(actual, logits)).toBeLessThan(1e-4);
  else expect(cosine(actual, logits)).toBeGreaterThan(0.999);
});

it.each(['qdq', 'qlinear'] as const)('%s: the float network behind it', async (spelling) => {
  const model = await load(spelling, { precision: 'float32' });
  const own = await localModel(fuse(networkFor(spelling)));
  expect(model.precision).toBe('float32');
  // Its weights are the rounded ones.
  expect(cosine(await model.predict(image), await own.predict(image))).toBeGreaterThan(0.99);
});
