import sharp, { type Sharp } from 'sharp';
import { framed, isFramed } from '../../src/image/framing.js';
import type { Pixels } from '../../src/inputs.js';

/** No two pixels alike. */
function picture(width: number, height: number, channels: 1 | 3 | 4): Pixels {
  return { data: Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + (i >> 8)) & 255), width, height, channels };
}

const CHANNELS = [1, 3, 4] as const;
const ROTATIONS = [0, 90, 180, 270] as const;

describe.each(CHANNELS)('with %i channels', (channels) => {
  it.each(ROTATIONS)('takes the region and then turns it by %i degrees, as sharp does', async (rotationDegrees) => {
    const image = picture(13, 9, channels);
    const region = { x: 2, y: 3, width: 7, height: 5 };
    const raw = { width: 13, height: 9, channels };
    const colours = channels === 1 ? 'b-w' : 'srgb';
    const bytes = (picture: Sharp) => picture.toColourspace(colours).raw().toBuffer({ resolveWithObject: true });
    const extracted = await bytes(sharp(image.data, { raw }).extract({ left: 2, top: 3, width: 7, height: 5 }));
    const { data, info } = await bytes(sharp(extracted.data, { raw: { width: 7, height: 5, channels } }).rotate(rotationDegrees));
    const result = framed(image, { regionOfInterest: region, rotationDegrees });
    expect([result.width, result.height, result.channels]).toEqual([info.width, info.height, info.channels]);
    expect([...result.data]).toEqual([...data]);
  });
});

it('gives the image itself where nothing is asked', () => {
  const image = picture(5, 4, 3);
  expect(framed(image, {})).toBe(image);
  expect(framed(image, { rotationDegrees: 0 })).toBe(image);
});

it('takes regions up to the edges of the image', () => {
  const image = picture(5, 4, 3);
  expect(framed(image, { regionOfInterest: { x: 0, y: 0, width: 5, height: 4 } })).toEqual(image);
});

it('knows whether anything is asked', () => {
  expect([{}, { rotationDegrees: 0 as const }].map(isFramed)).toEqual([false, false]);
  const regionOfInterest = { x: 0, y: 0, width: 1, height: 1 };
  expect([{ regionOfInterest }, { rotationDegrees: 90 as const }].map(isFramed)).toEqual([true, true]);
});

it('brings edges between pixels to the nearest', () => {
  const image = picture(8, 8, 1);
  const regionOfInterest = { x: 1.4, y: -0.4, width: 3.2, height: 8.3 };
  expect(framed(image, { regionOfInterest })).toEqual(framed(image, { regionOfInterest: { x: 1, y: 0, width: 4, height: 8 } }));
});

it.each([
  { x: -1, y: 0, width: 2, height: 2 },
  { x: 7, y: 0, width: 2, height: 2 },
  { x: 0, y: -1, width: 2, height: 2 },
  { x: 0, y: 7, width: 2, height: 2 },
  { x: 0, y: 0, width: 2, height: 0 },
  { x: 0, y: 0, width: 0, height: 2 },
  { x: 0, y: 0, width: 0.4, height: 2 },
  { x: Number.NaN, y: 0, width: 2, height: 2 },
  { x: 0, y: 0, width: Number.POSITIVE_INFINITY, height: 2 },
])('refuses the region %o', (regionOfInterest) => {
  expect(() => framed(picture(8, 8, 3), { regionOfInterest })).toThrow(
    /regionOfInterest must cover at least one pixel and lie inside the image of 8x8 pixels; got x/,
  );
});

it.each([45, -90, 360, Number.NaN])('refuses to turn by %d degrees', (degrees) => {
  expect(() => framed(picture(8, 8, 3), { rotationDegrees: degrees as 90 })).toThrow(
    `rotationDegrees must be one of 0, 90, 180, 270; got ${degrees}.`,
  );
});
