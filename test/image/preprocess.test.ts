import { Engine } from '../../src/engine/engine.js';
import { preprocess } from '../../src/image/preprocess.js';
import type { Pixels } from '../../src/inputs.js';

// Pictures that need no resampling: what comes out is what went in, cut and normalised.

const RAW = { mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255], crop: 1, interpolation: 'bilinear' } as const;

let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create('baseline');
});

function picture(width: number, height: number, channels: 1 | 3 | 4 = 3): Pixels {
  return { data: Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + (i >> 3)) & 255), width, height, channels };
}

function run(image: Pixels, height: number, width: number, preprocessing: Parameters<typeof preprocess>[5] = RAW): Float32Array {
  const mark = engine.mark();
  const target = engine.allocate(height * width * 3 * 4);
  const before = engine.mark();
  preprocess(engine, image, target, height, width, preprocessing);
  expect(engine.mark()).toBe(before); // what it needed on the way is given back
  const result = engine.floats(target, height * width * 3).slice();
  engine.release(mark);
  return result;
}

/** RGB of a rectangle; grey pixels have three equal values, and a fourth channel is left out. */
function cut({ data, width, channels }: Pixels, top: number, left: number, rows: number, columns: number): number[] {
  const values: number[] = [];
  for (let y = top; y < top + rows; y++) {
    for (let x = left; x < left + columns; x++) {
      for (let c = 0; c < 3; c++) values.push(data[(y * width + x) * channels + (channels === 1 ? 0 : c)] as number);
    }
  }
  return values;
}

const rounded = (values: Float32Array) => [...values].map(Math.round);

// Python rounds halves to even: 0.5 to 0, 1.5 to 2, 2.5 to 2, 3.5 to 4.
it.each([
  [5, 5, 0, 0],
  [7, 5, 0, 1],
  [6, 5, 0, 0],
  [8, 5, 0, 2],
  [10, 5, 0, 2],
  [12, 5, 0, 4],
  [5, 7, 1, 0],
  [5, 8, 2, 0],
  [5, 10, 2, 0],
])('cuts the centre of %d x %d at row %d, column %d for 5 x 5', (width, height, top, left) => {
  const image = picture(width, height);
  expect(rounded(run(image, 5, 5))).toEqual(cut(image, top, left, 5, 5));
});

it.each([1, 3, 4] as const)('reads pixels of %d channels', (channels) => {
  const image = picture(7, 5, channels);
  expect(rounded(run(image, 5, 5))).toEqual(cut(image, 0, 1, 5, 5));
});

it('keeps a border away as wide as the crop asks for, to whole pixels', () => {
  const image = picture(12, 10);
  // 5 / 0.5 = 10 rows and columns to begin with.
  expect(rounded(run(image, 5, 5, { ...RAW, crop: 0.5 }))).toEqual(cut(image, 2, 4, 5, 5));
  // 9 / 0.875 = 10.29 and 8 / 0.875 = 9.14: 10 rows, 9 columns.
  expect(rounded(run(picture(9, 10), 9, 8, { ...RAW, crop: 0.875 }))).toEqual(cut(picture(9, 10), 0, 0, 9, 8));
});

it('cuts the longer side down to whole pixels, but not for the error of a division', () => {
  // 15 x 5 to 3 rows: 15 * 3 / 5 is a hair below 9 in floating point. Columns 3 to 5 of 9 are wanted, in threes of the source.
  const image = { ...picture(1, 1), width: 15, height: 5, data: new Uint8Array(15 * 5 * 3) };
  for (let y = 0; y < 5; y++) for (let x = 0; x < 15; x++) image.data.fill(16 * x, (y * 15 + x) * 3, (y * 15 + x + 1) * 3);
  const values = run(image, 3, 3);
  // A ramp stays a ramp away from its ends: the centre of column c of 9 is at 5 / 3 * (c + 0.5) - 0.5.
  for (let c = 0; c < 3; c++) expect(Math.abs((values[c * 3] as number) - 16 * ((5 / 3) * (c + 3.5) - 0.5))).toBeLessThan(3);
});

it('takes the side that must grow most as the measure', () => {
  // 4 x 8 to 8 x 8: rows are enough at once, columns need twice as many; the middle of 16 rows is wanted.
  const image = { ...picture(1, 1), width: 4, height: 8, data: new Uint8Array(4 * 8 * 3) };
  for (let y = 0; y < 8; y++) image.data.fill(30 * y, y * 12, (y + 1) * 12);
  const values = run(image, 8, 8);
  for (let y = 0; y < 8; y++) expect(Math.abs((values[y * 24] as number) - 30 * ((y + 4 + 0.5) / 2 - 0.5))).toBeLessThanOrEqual(1);
});

it('normalises each channel by its own mean and deviation', () => {
  const image = picture(5, 5);
  const [mean, std] = [[0.485, 0.456, 0.25] as const, [0.229, 0.5, 0.125] as const];
  const values = run(image, 5, 5, { ...RAW, mean, std });
  cut(image, 0, 0, 5, 5).forEach((byte, i) => {
    expect(values[i]).toBeCloseTo((byte / 255 - (mean[i % 3] as number)) / (std[i % 3] as number), 5);
  });
});

it('takes a picture through in bands that give what it gives in one', () => {
  // A picture of 10 MB. Rows of one value each make the answer plain.
  const [width, height] = [20_000, 128];
  const image: Pixels = { data: new Uint8Array(width * height * 4), width, height, channels: 4 };
  for (let y = 0; y < height; y++) image.data.fill(2 * y, y * width * 4, (y + 1) * width * 4);
  const values = run(image, 64, 64);
  expect(engine.memory.buffer.byteLength).toBeLessThan(5 << 20);
  for (let y = 1; y < 63; y++) expect(Math.abs((values[y * 64 * 3] as number) - (4 * y + 1))).toBeLessThanOrEqual(1);
});

it('reads pictures of which one row is larger than a band', () => {
  const [width, height] = [300_000, 2];
  const image: Pixels = { data: new Uint8Array(width * height * 4).fill(77), width, height, channels: 4 };
  expect(rounded(run(image, 2, 2)).every((value) => value === 77)).toBe(true);
});
