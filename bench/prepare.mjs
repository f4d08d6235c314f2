// The files that the benchmarks run on, from a checkpoint: its float32 and int8 networks, and its tensors' ranges.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadLocalModel, quantizeLocal, sessionOf } from '../build/internals.js';

export const root = new URL('..', import.meta.url).pathname;
export const CHECKPOINTS = ['mobilenet_v3_small', 'mobilenet_v3_large'];
const CALIBRATION = 16;

/** @returns the folder that holds float32.safetensors, int8.safetensors and ranges.json */
export async function prepare(checkpoint) {
  const folder = join(root, 'build/bench', checkpoint);
  mkdirSync(folder, { recursive: true });
  const bytes = readFileSync(join(root, 'checkpoints', `${checkpoint}.safetensors`));
  const float = await loadLocalModel(bytes);
  const pictures = readdirSync(join(root, 'images/calibration'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .slice(0, CALIBRATION)
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const ranges = {};
  const observe = ({ name, shape, pointer, rowStride, pixelStride }, memory) => {
    const values = new Float32Array(memory.buffer);
    let [low, high] = ranges[name] ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let y = 0; y < shape[0]; y++) {
      for (let x = 0; x < shape[1]; x++) {
        for (let c = 0, at = (pointer + y * rowStride + x * pixelStride) / 4; c < shape[2]; c++) {
          low = Math.min(low, values[at + c]);
          high = Math.max(high, values[at + c]);
        }
      }
    }
    ranges[name] = [low, high];
  };
  const session = sessionOf(float);
  for (const picture of pictures) session.observe(session.put(await session.decode(picture)), observe);
  writeFileSync(join(folder, 'float32.safetensors'), float.save());
  writeFileSync(join(folder, 'int8.safetensors'), (await quantizeLocal(float, pictures)).save());
  writeFileSync(join(folder, 'ranges.json'), JSON.stringify(ranges));
  return folder;
}

/** A network of 8-bit activations that others run too. It is not in the repository. */
export const QUANTIZED = join(root, '../shared/models/v2-1.0-224-ptq-int8.tflite');
const PICTURES = join(root, '../shared/imagenet/validation');

/** @returns the folder that holds quantized.tflite and picture.rgb, a photograph in the network's size; undefined where QUANTIZED is missing */
export async function prepareQuantized() {
  if (!existsSync(QUANTIZED)) return undefined;
  const folder = join(root, 'build/bench/quantized');
  mkdirSync(folder, { recursive: true });
  copyFileSync(QUANTIZED, join(folder, 'quantized.tflite'));
  const picture = readdirSync(PICTURES, { recursive: true }).find((name) => name.endsWith('.jpg'));
  const { default: sharp } = await import('sharp');
  writeFileSync(join(folder, 'picture.rgb'), await sharp(join(PICTURES, picture)).resize(224, 224).removeAlpha().raw().toBuffer());
  return folder;
}
