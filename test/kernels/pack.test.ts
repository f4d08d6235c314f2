import { Engine } from '../../src/engine/engine.js';
import { Values } from './cases.js';
import { fenced } from './engines.js';
import { select } from './select.js';

// Filters as WebAssembly lays them out, against plain loops.

const SHAPES = [
  // kernel height, kernel width, input channels, input channels in memory, output channels
  [1, 1, 8, 8, 16],
  [1, 1, 24, 24, 8],
  [3, 2, 6, 8, 24],
  [3, 2, 6, 8, 12],
  [1, 1, 7, 8, 16],
  [2, 3, 4, 5, 8],
  [3, 3, 3, 3, 16],
  [1, 2, 5, 8, 9],
  [5, 1, 2, 8, 4],
] as const;
const ZERO_POINTS = [0, 3, -128, 127] as const;
let engine: Engine;
beforeAll(async () => {
  engine = await Engine.create('baseline');
});

it('lays a dense filter out in pairs of input channels, and sums magnitudes', () => {
  const values = new Values(7);
  const cases = SHAPES.flatMap((shape) =>
    ZERO_POINTS.flatMap((zero) => [1, 2].map((bytes) => ({ shape, zero: bytes === 1 ? 0 : zero, bytes }))),
  );
  for (const { shape, zero, bytes } of select(cases)) {
    const [height, width, inputChannels, stored, channels] = shape;
    const run = width * stored + ((width * stored) % 2);
    const padded = Math.ceil(channels / 8) * 8;
    const source = values.bytes('int8', height * width * inputChannels * channels, true) as Int8Array;
    const expected = new Int16Array(height * run * padded);
    const sums = new Array<number>(channels).fill(0);
    source.forEach((q, i) => {
      const [n, c, tap] = [i % channels, Math.floor(i / channels) % inputChannels, Math.floor(i / channels / inputChannels)];
      const k = Math.floor(tap / width) * run + (tap % width) * stored + c;
      expected[Math.floor(n / 8) * height * run * 8 + Math.floor(k / 2) * 16 + (n % 8) * 2 + (k % 2)] = q - zero;
      sums[n] = (sums[n] as number) + Math.abs(q - zero);
    });
    const mark = engine.mark();
    const from = engine.allocate(source.length);
    engine.bytes(from, source.length).set(new Uint8Array(source.buffer));
    const [target, magnitudes] = [fenced(engine, expected.length * bytes), fenced(engine, channels * 4)];
    const { pointer } = target;
    engine.exports.pack_dense_i8(from, pointer, magnitudes.pointer, height, width, inputChannels, stored, channels, run, zero, bytes);
    const packed = bytes === 1 ? new Int8Array(engine.memory.buffer, pointer, expected.length) : engine.shorts(pointer, expected.length);
    const found = [...engine.ints(magnitudes.pointer, channels)];
    expect({ shape, zero, bytes, sums: found }).toEqual({ shape, zero, bytes, sums });
    expect([target.isIntact(), magnitudes.isIntact()]).toEqual([true, true]);
    expect(packed.findIndex((q, i) => q !== expected[i])).toBe(-1);
    engine.release(mark);
  }
});

it('lays a depthwise filter out in pairs of lines, and sums magnitudes', () => {
  const values = new Values(8);
  const shapes = [
    [3, 3, 8],
    [5, 5, 12],
    [1, 1, 3],
    [2, 7, 17],
    [4, 1, 9],
  ] as const;
  for (const { shape, zero } of select(shapes.flatMap((shape) => ZERO_POINTS.map((zero) => ({ shape, zero }))))) {
    const [height, width, channels] = shape;
    const [lines, padded] = [Math.ceil(height / 2), Math.ceil(channels / 8) * 8];
    const source = values.bytes('int8', height * width * channels) as Int8Array;
    const expected = new Int16Array(2 * lines * width * padded);
    const sums = new Array<number>(channels).fill(0);
    source.forEach((q, i) => {
      const [c, x, y] = [i % channels, Math.floor(i / channels) % width, Math.floor(i / channels / width)];
      expected[((Math.floor(c / 4) * lines + Math.floor(y / 2)) * width + x) * 8 + (c % 4) * 2 + (y % 2)] = q - zero;
      sums[c] = (sums[c] as number) + Math.abs(q - zero);
    });
    const mark = engine.mark();
    const from = engine.allocate(source.length);
    engine.bytes(from, source.length).set(new Uint8Array(source.buffer));
    const [target, magnitudes] = [fenced(engine, expected.length * 2), fenced(engine, channels * 4)];
    engine.exports.pack_depthwise_i8(from, target.pointer, magnitudes.pointer, height, width, channels, zero);
    expect({ shape, zero, sums: [...engine.ints(magnitudes.pointer, channels)] }).toEqual({ shape, zero, sums });
    expect([target.isIntact(), magnitudes.isIntact()]).toEqual([true, true]);
    expect(engine.shorts(target.pointer, expected.length).findIndex((q, i) => q !== expected[i])).toBe(-1);
    engine.release(mark);
  }
});

it('computes scales, the product in float32 and the rest in float64, of tensors with one and with a scale a channel', () => {
  const values = new Values(9);
  const channels = 11;
  const f = Math.fround;
  const [filter, input, output] = [
    values.vector(channels, 0.001, 0.01),
    values.vector(channels, 0.01, 0.1),
    values.vector(channels, 0.1, 1),
  ];
  for (const [perInput, perOutput] of [
    [false, false],
    [true, false],
    [false, true],
    [true, true],
  ]) {
    for (const gain of [1, 1 / 6]) {
      const mark = engine.mark();
      const [scales, gates, inputs, outputs] = [0, 0, 0, 0].map(() => engine.allocate(channels * 4)) as [number, number, number, number];
      for (const [at, data] of [[scales, filter] as const, [inputs, input] as const, [outputs, output] as const])
        engine.floats(at, channels + 1).set(data);
      for (const at of [scales, gates]) engine.floats(at + channels * 4, 1)[0] = 12345;
      engine.exports.pack_scales(scales, gates, channels, 0.037, perInput ? inputs : 0, 0.71, perOutput ? outputs : 0, gain);
      const sum = (c: number) => (perInput ? (input[c] as number) : 0.037) * (filter[c] as number);
      const scale = (c: number) => f((f(sum(c)) * gain) / (perOutput ? (output[c] as number) : 0.71));
      const all = Array.from({ length: channels }, (_, c) => c);
      expect([...engine.floats(scales, channels + 1)]).toEqual([...all.map(scale), 12345]);
      expect([...engine.floats(gates, channels + 1)]).toEqual([...all.map((c) => f(scale(c) * (sum(c) / 6))), 12345]);
      engine.release(mark);
    }
  }
});
