import { ShapeError } from '../errors.js';
import type { Box, Framing, Pixels } from '../inputs.js';

const TURNS = [0, 90, 180, 270];

export const isFramed = ({ regionOfInterest, rotationDegrees = 0 }: Framing): boolean =>
  regionOfInterest !== undefined || rotationDegrees !== 0;

/**
 * The region of an image, turned: pixels of their own, or the image itself where nothing is asked.
 *
 * @throws ShapeError for a region that is empty or reaches out of the image, and for another rotation than 0, 90, 180 or 270
 */
export function framed(image: Pixels, framing: Framing): Pixels {
  const { regionOfInterest, rotationDegrees = 0 } = framing;
  if (!TURNS.includes(rotationDegrees)) throw new ShapeError(`rotationDegrees must be one of ${TURNS.join(', ')}; got ${rotationDegrees}.`);
  const region = regionOfInterest ? cropped(image, regionOfInterest) : image;
  return rotationDegrees === 0 ? region : turned(region, rotationDegrees);
}

function cropped(image: Pixels, { x, y, width, height }: Box): Pixels {
  const [left, top, right, bottom] = [x, y, x + width, y + height].map(Math.round) as [number, number, number, number];
  // Also false for what is no number.
  if (!(left >= 0 && top >= 0 && right <= image.width && bottom <= image.height && right > left && bottom > top)) {
    throw new ShapeError(
      `regionOfInterest must cover at least one pixel and lie inside the image of ${image.width}x${image.height} pixels; ` +
        `got x ${x}, y ${y}, width ${width}, height ${height}.`,
    );
  }
  const { channels } = image;
  const rowBytes = (right - left) * channels;
  const data = new Uint8Array(rowBytes * (bottom - top));
  for (let row = top, to = 0; row < bottom; row++, to += rowBytes) {
    const from = (row * image.width + left) * channels;
    data.set(image.data.subarray(from, from + rowBytes), to);
  }
  return { data, width: right - left, height: bottom - top, channels };
}

/** Clockwise. */
function turned(image: Pixels, degrees: number): Pixels {
  const { width, height, channels, data: source } = image;
  const data = new Uint8Array(width * height * channels);
  const upright = degrees === 180;
  // Where the pixel at the left and top goes, and how far one to the right and one below are from it.
  const [first, right, below] = upright
    ? [width * height - 1, -1, -width]
    : degrees === 90
      ? [height - 1, height, -1]
      : [(width - 1) * height, -height, 1];
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0, to = (first + y * below) * channels; x < width; x++, to += right * channels) {
      for (let c = 0; c < channels; c++) data[to + c] = source[from++] as number;
    }
  }
  return { data, width: upright ? width : height, height: upright ? height : width, channels };
}
