import type { Engine } from '../../src/engine/engine.js';
import { Values } from './cases.js';
import { fenced, MACHINES } from './engines.js';

// The passes of resizing against plain loops, bit for bit, with any weights. test/image compares the whole with Pillow.

const f = Math.fround;
let engine: Engine;
let values: Values;
beforeAll(async () => {
  engine = (await MACHINES[0]?.engine()) as Engine;
});
beforeEach(() => {
  values = new Values(11);
});

interface Table {
  readonly pointer: number;
  readonly taps: number;
  readonly starts: readonly number[];
  readonly weights: readonly Float32Array[];
}

/** For each of `count` pixels, the first source pixel and weights of any kind. */
function table(size: number, count: number, taps: number): Table {
  const starts = Array.from({ length: count }, () => values.integer(0, size - taps));
  const weights = starts.map(() => values.vector(taps, -0.4, 0.9));
  const pointer = engine.allocate(count * (taps + 1) * 4);
  starts.forEach((start, i) => {
    engine.ints(pointer + i * (taps + 1) * 4, 1)[0] = start;
    engine.floats(pointer + i * (taps + 1) * 4 + 4, taps).set(weights[i] as Float32Array);
  });
  return { pointer, taps, starts, weights };
}

/** Weighted values, added one after the other in float32. */
const sum = ({ starts, weights }: Table, i: number, value: (source: number) => number) =>
  (weights[i] as Float32Array).reduce((total, w, t) => f(total + f(w * value((starts[i] as number) + t))), 0);
const byte = (x: number) => Math.min(Math.max(Math.floor(f(x + 0.5)), 0), 255);

const SIZES = [
  { sourceHeight: 7, sourceWidth: 9, height: 5, width: 4, taps: 3 },
  { sourceHeight: 1, sourceWidth: 1, height: 3, width: 2, taps: 1 },
  { sourceHeight: 8, sourceWidth: 5, height: 9, width: 11, taps: 5 },
] as const;

it('resizes rows of grey, RGB and RGBA to bytes', () => {
  for (const { sourceHeight, sourceWidth, width, taps } of SIZES) {
    for (const channels of [1, 3, 4]) {
      const mark = engine.mark();
      const columns = table(sourceWidth, width, taps);
      const pixels = values.bytes('uint8', sourceHeight * sourceWidth * channels);
      const input = engine.allocate(pixels.length);
      engine.bytes(input, pixels.length).set(pixels);
      const output = fenced(engine, sourceHeight * width * 3);
      engine.exports.resize_horizontal(input, output.pointer, sourceHeight, sourceWidth, channels, width, columns.pointer, taps);
      const expected = Array.from({ length: sourceHeight * width * 3 }, (_, i) => {
        const [c, x, y] = [channels === 1 ? 0 : i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
        return byte(sum(columns, x, (source) => pixels[(y * sourceWidth + source) * channels + c] as number));
      });
      expect([channels, ...engine.bytes(output.pointer, expected.length)]).toEqual([channels, ...expected]);
      expect(output.isIntact()).toBe(true);
      engine.release(mark);
    }
  }
});

it('resizes columns of bytes and normalises each channel', () => {
  for (const { sourceHeight, width, height, taps } of SIZES) {
    const mark = engine.mark();
    const rows = table(sourceHeight, height, taps);
    const pixels = values.bytes('uint8', sourceHeight * width * 3);
    const normal = values.vector(6, -2, 2);
    const [input, scaleAndOffset] = [engine.allocate(pixels.length), engine.allocate(24)];
    engine.bytes(input, pixels.length).set(pixels);
    engine.floats(scaleAndOffset, 6).set(normal);
    const output = fenced(engine, height * width * 12);
    engine.exports.resize_vertical_normalize(input, output.pointer, width, height, rows.pointer, taps, scaleAndOffset);
    const expected = Array.from({ length: height * width * 3 }, (_, i) => {
      const value = byte(sum(rows, Math.floor(i / 3 / width), (source) => pixels[source * width * 3 + (i % (width * 3))] as number));
      return f(f(value * (normal[i % 3] as number)) + (normal[3 + (i % 3)] as number));
    });
    expect([...engine.floats(output.pointer, expected.length)]).toEqual(expected);
    expect(output.isIntact()).toBe(true);
    engine.release(mark);
  }
});

it('resizes float32 of any number of channels', () => {
  for (const { sourceHeight, sourceWidth, height, width, taps } of SIZES) {
    for (const channels of [1, 5]) {
      const mark = engine.mark();
      const [rows, columns] = [table(sourceHeight, height, taps), table(sourceWidth, width, taps)];
      const x = values.vector(sourceHeight * sourceWidth * channels);
      const input = engine.allocate(x.length * 4);
      engine.floats(input, x.length).set(x);
      const output = fenced(engine, height * width * channels * 4);
      const { exports } = engine;
      exports.f32_resize(input, output.pointer, sourceWidth, channels, height, width, rows.pointer, taps, columns.pointer, taps);
      const expected = Array.from({ length: height * width * channels }, (_, i) => {
        const [c, col, row] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
        const line = (y: number) => sum(columns, col, (source) => x[(y * sourceWidth + source) * channels + c] as number);
        return sum(rows, row, line);
      });
      expect([channels, ...engine.floats(output.pointer, expected.length)]).toEqual([channels, ...expected]);
      expect(output.isIntact()).toBe(true);
      engine.release(mark);
    }
  }
});
