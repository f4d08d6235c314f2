import { UnsupportedModelError } from '../errors.js';
import { INPUT_CHANNELS } from '../graph/graph.js';

const SMALLEST = 32;
const LARGEST = 512;
const DEFAULT_RESOLUTION = 224;

/** The side of the images that an input of shape [n, side, side, 3] takes; what is left open is 224. */
export function resolutionOf(format: string, shape: readonly (number | null)[]): number {
  const [, height, width, channels] = shape;
  const side = (value: number | null | undefined) => (value && value > 1 ? value : DEFAULT_RESOLUTION);
  const resolution = side(height);
  if (shape.length !== 4 || channels !== INPUT_CHANNELS || side(width) !== resolution || resolution < SMALLEST || resolution > LARGEST) {
    const given = shape.map((value) => value ?? -1);
    throw new UnsupportedModelError(
      `${format}: the input has shape [${given}]; an image as [n, side, side, 3], its side from ${SMALLEST} to ${LARGEST}, was expected.`,
    );
  }
  return resolution;
}
