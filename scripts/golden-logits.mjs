// node scripts/golden-logits.mjs [DIST]: hashes of logits, bit for bit, as test/golden/logits.json keeps them. DIST is another build's
// dist/index.js, to see whether it computes the same.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const { loadModel, quantize } = await import(resolve(process.argv[2] ?? 'dist/index.js'));

const image = (side, seed) => ({
  data: Float32Array.from({ length: side * side * 3 }, (_, i) => ((i * 7919 + seed * 104729) % 1021) / 255 - 2),
  shape: [1, side, side, 3],
});
const hash = ({ buffer, byteOffset, byteLength }) =>
  createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex');

const golden = {};
for (const size of ['small', 'large']) {
  const options = { simd: 'baseline' };
  const float32 = await loadModel(new Uint8Array(readFileSync(`checkpoints/mobilenet_v3_${size}.safetensors`)), options);
  const int8 = await quantize(float32, [image(96, 1), image(96, 2)], { rounding: 'nearest' });
  for (const model of [float32, int8]) {
    for (const side of [224, 96, 65]) golden[`${size} ${model.precision} ${side}`] = hash(await model.predict(image(side, 0)));
  }
}
console.log(JSON.stringify(golden, null, 2));
