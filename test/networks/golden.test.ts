import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Tensor } from '../../src/inputs.js';
import { loadModel, quantize } from '../../src/load.js';
import type { Model } from '../../src/model/model.js';

// Made by scripts/golden-logits.mjs. The float32 ones are those of before the layout of src/ was made anew.
const GOLDEN: Record<string, string> = JSON.parse(readFileSync('test/golden/logits.json', 'utf8'));

const image = (side: number, seed: number): Tensor => ({
  data: Float32Array.from({ length: side * side * 3 }, (_, i) => ((i * 7919 + seed * 104729) % 1021) / 255 - 2),
  shape: [1, side, side, 3],
});
const hash = (logits: Float32Array) => createHash('sha256').update(new Uint8Array(logits.buffer)).digest('hex');

async function expectGolden(size: string, model: Model): Promise<void> {
  for (const side of [224, 96, 65]) {
    const name = `${size} ${model.precision} ${side}`;
    expect([name, hash(await model.predict(image(side, 0)))]).toEqual([name, GOLDEN[name]]);
  }
}

it.each(['small', 'large'])('gives the same bits as ever: the shipped %s, float32 and int8, in pairs and in products', async (size) => {
  const float32 = await loadModel(`checkpoints/mobilenet_v3_${size}.safetensors`, { simd: 'baseline' });
  const int8 = await quantize(float32, [image(96, 1), image(96, 2)], { rounding: 'nearest' });
  await expectGolden(size, float32);
  await expectGolden(size, int8);
  await expectGolden(size, await loadModel(int8.save(), { simd: 'baseline', kernels: 'products', threads: 2 }));
});
