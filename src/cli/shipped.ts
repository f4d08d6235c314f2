import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

// What the repository ships beside the code, and the npm package does not: its own checkpoints and pictures.

const root = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export const SHIPPED = {
  weights: [root('checkpoints/mobilenet_v3_small.safetensors'), root('checkpoints/mobilenet_v3_large.safetensors')],
  images: root('images/validation'),
  calibration: root('images/calibration'),
};

export const shippedIsHere = () => [...SHIPPED.weights, SHIPPED.images, SHIPPED.calibration].every((path) => existsSync(path));
