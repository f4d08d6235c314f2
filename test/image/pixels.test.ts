import { checkPixels, isPixels, isTensor } from '../../src/image/pixels.js';

const bytes = (length: number) => new Uint8Array(length);

describe('pixels', () => {
  it('have one, three or four channels; four where nothing is said, as ImageData has', () => {
    for (const channels of [1, 3, 4] as const) {
      const pixels = { data: bytes(6 * channels), width: 2, height: 3, channels };
      expect(checkPixels(pixels)).toEqual(pixels);
    }
    expect(checkPixels({ data: bytes(24), width: 3, height: 2 })).toEqual({ data: bytes(24), width: 3, height: 2, channels: 4 });
  });

  it.each([
    [0, 3, 3],
    [3, 0, 3],
    [-1, -3, 3],
    [1.5, 2, 4],
    [2, 1.5, 4],
    [Number.NaN, 1, 3],
    [1, 1, 2],
    [1, 1, 0],
    [1, 1, 5],
  ])('are refused at %d x %d with %d channels', (width, height, channels) => {
    const data = bytes(Math.max(0, width * height * channels) || 0);
    expect(() => checkPixels({ data, width, height, channels: channels as 3 })).toThrow(
      `must be whole numbers above 0, its channels 1, 3 or 4; got ${width}x${height} and ${channels} channels.`,
    );
  });

  it('are refused where bytes are missing or left over', () => {
    for (const length of [17, 19]) {
      expect(() => checkPixels({ data: bytes(length), width: 2, height: 3, channels: 3 })).toThrow(
        `2x3 pixels of 3 channels need 18 bytes; got ${length}.`,
      );
    }
  });

  it('are told from everything else', () => {
    expect(isPixels({ data: bytes(3), width: 1, height: 1, channels: 3 })).toBe(true);
    expect(isPixels({ data: new Uint8ClampedArray(4), width: 1, height: 1 })).toBe(true);
    for (const other of [
      undefined,
      null,
      'picture.png',
      Object.assign(() => 0, { data: bytes(3), width: 1, height: 1 }),
      { width: 1, height: 1 },
      { data: bytes(3), height: 1 },
      { data: [1, 2, 3], width: 1, height: 1 },
    ]) {
      expect(isPixels(other)).toBe(false);
    }
  });
});

it('a tensor is told from everything else', () => {
  const data = new Float32Array(3);
  expect(isTensor({ data, shape: [1, 1, 1, 3] })).toBe(true);
  for (const other of [
    'picture.png',
    Object.assign(() => 0, { data, shape: [1, 1, 1, 3] }),
    { data },
    { data, shape: 3 },
    { data: bytes(3), shape: [1, 1, 1, 3] },
    { shape: [1, 1, 1, 3] },
  ]) {
    expect(isTensor(other as never)).toBe(false);
  }
});
