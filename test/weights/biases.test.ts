import { largestSafeLane } from '../../src/graph/sums.js';
import { withBiases } from '../../src/weights/biases.js';
import { conv } from '../graph/nodes.js';

const STEP = 1 / 256;
/** Two channels of two weights each: those of the second count for next to nothing where its scale says so. */
const filter = Int8Array.of(100, 126, -50, -126);
const biased = (bias: readonly number[], scale: readonly number[] = [0.5, 0.5], zeroPoint = 0) =>
  withBiases({ filter, scale, zeroPoint }, bias, STEP);
/** What a channel's bias is in real numbers. */
const realBias = ({ scale, bias }: ReturnType<typeof biased>, c: number) => (bias[c] as number) * (scale[c] as number) * STEP;

it('leaves weights as they are, and counts biases in their unit', () => {
  expect(biased([3, -(2 ** 21)])).toEqual({
    filter,
    scale: Float32Array.of(0.5, 0.5),
    zeroPoint: 0,
    bias: Int32Array.of(1536, -(2 ** 30)),
  });
  expect(biased([0, 0], [0, 0.5]).bias).toEqual(new Int32Array(2));
});

it('makes room for the sums of a channel whose bias is cut off at the end of an i32', () => {
  const scale = Math.fround(1e-22);
  for (const end of [-(2 ** 31), 2 ** 31 - 1]) {
    const weights = biased([3, end * scale * STEP], [0.5, scale]);
    expect(weights.filter).toEqual(Int8Array.of(100, 63, -50, -63));
    expect(weights.scale[0]).toBe(0.5);
    expect((weights.scale[1] as number) / scale).toBeCloseTo(2, 6);
    expect(realBias(weights, 1) / (end * scale * STEP)).toBeCloseTo(1, 6);
    // Any lane of 16 bits may come.
    expect(largestSafeLane(conv({ channels: 2, inputChannels: 2 }), weights)).toBe(32767);
  }
});

it('keeps a bias that is far beyond an i32 in the unit of its weights, which count for nothing', () => {
  for (const scale of [1e-30, 0]) {
    const weights = biased([3, 0.75], [0.5, scale]);
    expect(realBias(weights, 1)).toBeCloseTo(0.75, 7);
    expect(weights.filter).toEqual(Int8Array.of(100, 0, -50, 0));
  }
  // Nothing is what the zero point says.
  expect(biased([3, 0.75], [0.5, 1e-30], -7).filter).toEqual(Int8Array.of(100, -7, -50, -7));
});
