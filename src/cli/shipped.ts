import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

// What the repository ships beside the code, and the npm package does not: its own checkpoints and pictures.

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const SHIPPED = {
  weights: [root('checkpoints/mobilenet_v3_small.safetensors'), root('checkpoints/mobilenet_v3_large.safetensors')],
  images: root('images/validation'),
  calibration: root('images/calibration'),
};

export const shippedIsHere = () => [...SHIPPED.weights, SHIPPED.images, SHIPPED.calibration].every((path) => existsSync(path));

/** What networks trained at equal cost score (training/ablate.py). */
export async function shippedAblation(): Promise<unknown> {
  const file = root('training/ablation.json');
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : undefined;
}
