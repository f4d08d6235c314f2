// Fills public/ with what the page fetches: the repository's own networks in int8 (each also gives its float32 network),
// a few pictures, and the logits that Node gets, which the page checks before it times anything.
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import sharp from 'sharp';
import { loadModel, quantize } from '../../dist/index.js';

const PUBLIC = new URL('public/', import.meta.url);
const NETWORKS = ['mobilenet_v3_small', 'mobilenet_v3_large'];
const SIDE = 224;
const SAMPLES = 6;

const newest = Math.max(...NETWORKS.map((name) => statSync(`checkpoints/${name}.safetensors`).mtimeMs), statSync('dist/index.js').mtimeMs);
const manifest = new URL('expected.json', PUBLIC);
if (existsSync(manifest) && statSync(manifest).mtimeMs > newest) process.exit();

const pictures = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => /\.(jpe?g|png|webp)$/.test(name))
    .sort()
    .map((name) => `${folder}/${name}`);

mkdirSync(PUBLIC, { recursive: true });
const validation = pictures('images/validation');
const samples = Array.from({ length: SAMPLES }, (_, i) => validation[Math.floor((i * validation.length) / SAMPLES)]);
for (const [i, path] of samples.entries()) {
  // Lossless: the same pixels in every browser.
  const picture = sharp(path).resize(SIDE, SIDE, { fit: 'cover' });
  await picture
    .clone()
    .png({ compressionLevel: 9 })
    .toFile(new URL(`sample-${i}.png`, PUBLIC).pathname);
}
const expected = {};
for (const name of NETWORKS) {
  const float = await loadModel(`checkpoints/${name}.safetensors`);
  const int8 = await quantize(float, pictures('images/calibration'));
  const file = int8.save();
  writeFileSync(new URL(`${name}.int8.safetensors`, PUBLIC), file);
  // The float network behind the int8 file: what the page runs as float32.
  const behind = await loadModel(file, { precision: 'float32' });
  const sample = new URL('sample-0.png', PUBLIC).pathname;
  expected[name] = { float32: [...(await behind.logits(sample))], int8: [...(await int8.logits(sample))] };
  console.log(`${name}: ${(file.length / 1e6).toFixed(1)} MB`);
}
writeFileSync(manifest, JSON.stringify(expected));
