import { readFileSync } from 'node:fs';
import { Engine } from '../../src/engine/engine.js';
import { preprocess } from '../../src/image/preprocess.js';
import type { Pixels } from '../../src/inputs.js';

interface Case {
  readonly width: number;
  readonly height: number;
  readonly side: number;
  readonly interpolation: 'bilinear' | 'bicubic';
  /** RGB, in base64. */
  readonly pixels: string;
}

/** What Pillow makes of the same pictures: scripts/golden-resize.py. */
const CASES: readonly Case[] = JSON.parse(readFileSync('test/golden/resize.json', 'utf8'));

function picture(width: number, height: number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++, i++) data[i] = (Math.floor((3 * x * x + 5 * y * y + 7 * x * y) / 8) + 85 * c) & 255;
    }
  }
  return { data, width, height, channels: 3 };
}

it.each(CASES)('resizes $width x $height to $side, $interpolation, as Pillow does', async ({
  width,
  height,
  side,
  interpolation,
  pixels,
}) => {
  const engine = await Engine.create('baseline');
  const target = engine.allocate(side * side * 3 * 4);
  // (v / 255 - 0) / (1 / 255): bytes again.
  const raw = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255], crop: 1, interpolation } as const;
  preprocess(engine, picture(width, height), target, side, side, raw);
  const values = engine.floats(target, side * side * 3);
  const differences = Buffer.from(pixels, 'base64').map((value, i) => Math.abs(Math.round(values[i] as number) - value));
  // Pillow computes with integer weights of 22 bits: a value half-way between two bytes may go the other way, which is frequent where
  // an enlargement's weights are simple fractions.
  expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  expect(differences.filter((difference) => difference > 0).length / differences.length).toBeLessThan(0.05);
});
