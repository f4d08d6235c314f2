import type { Arithmetic } from '../../src/compute/arithmetic.js';
import { PlannedTensor } from '../../src/runtime/tensors.js';

const arithmetic = { name: 'lanes', elementBytes: 2 } as Arithmetic;
const lanes = { scale: 1, low: 0, high: 1 };
const tensor = (own?: typeof lanes) => new PlannedTensor('x', [3, 5, 11], arithmetic, own, 16, true, 4);

it('lies row by row, pixel by pixel, without a halo to begin with', () => {
  const x = Object.assign(tensor(), { base: 1000, offset: 64 });
  expect(x).toMatchObject({ elementBytes: 2, pixelBytes: 32, rowStride: 5 * 32, bytes: 3 * 5 * 32, pointer: 1064, lastStep: 4 });
  expect(x.margin).toEqual({ top: 0, bottom: 0, left: 0, right: 0 });
});

it('takes the largest halo that anyone asks for, side by side', () => {
  const x = Object.assign(tensor(), { base: 1000, offset: 64 });
  x.widen({ top: 1, bottom: 2, left: 3, right: 0 });
  x.widen({ top: 2, bottom: 1, left: -1, right: 4 });
  expect(x.margin).toEqual({ top: 2, bottom: 2, left: 3, right: 4 });
  expect(x.rowStride).toBe((3 + 5 + 4) * 32);
  expect(x.bytes).toBe((2 + 3 + 2) * 12 * 32);
  expect(x.pointer).toBe(1064 + 2 * 12 * 32 + 3 * 32);
});

it('shows where it lies, and its lanes if it has any', () => {
  const place = { name: 'x', shape: [3, 5, 11], pointer: 0, rowStride: 160, pixelStride: 32 };
  expect(tensor().view).toEqual(place);
  expect(tensor(lanes).view).toEqual({ ...place, lanes });
});
