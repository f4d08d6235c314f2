import { type Buffer, peakBytes, placeBuffers } from '../../src/runtime/arena.js';
import { random } from '../random-network.js';

const buffer = (bytes: number, firstStep: number, lastStep: number): Buffer => ({ bytes, firstStep, lastStep, offset: -1 });
const ALIGNMENT = 64;

it('gives buffers that are in use at different steps the same place', () => {
  const buffers = [buffer(100, 0, 1), buffer(64, 2, 3), buffer(60, 4, 4)];
  expect(placeBuffers(buffers)).toBe(128);
  expect(buffers.map(({ offset }) => offset)).toEqual([0, 0, 0]);
});

it('places what meets side by side, the largest first', () => {
  const buffers = [buffer(64, 0, 1), buffer(200, 1, 2), buffer(65, 2, 3)];
  expect(placeBuffers(buffers)).toBe(256 + 128);
  expect(buffers.map(({ offset }) => offset)).toEqual([256, 0, 256]);
});

it('takes the earlier of two that are as large first', () => {
  const buffers = [buffer(64, 1, 2), buffer(64, 0, 1)];
  placeBuffers(buffers);
  expect(buffers.map(({ offset }) => offset)).toEqual([64, 0]);
});

it('fills a gap that is just large enough, and none that is too small', () => {
  // Two large ones leave a gap of 128 at step 5.
  const around = () => [buffer(512, 0, 9), buffer(320, 0, 1), buffer(256, 1, 5)];
  const fitting = [...around(), buffer(64, 1, 1), buffer(128, 5, 5)];
  placeBuffers(fitting);
  const overlap = (a: Buffer, b: Buffer) =>
    a.lastStep >= b.firstStep && a.firstStep <= b.lastStep && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
  for (const a of fitting) for (const b of fitting) if (a !== b) expect(overlap(a, b)).toBe(false);
  // 320 free bytes after the first: the last takes what the second left, not the end.
  const gap = [buffer(256, 0, 2), buffer(192, 0, 0), buffer(128, 0, 2), buffer(64, 1, 2)];
  expect(placeBuffers(gap)).toBe(256 + 192 + 128);
  expect(gap.map(({ offset }) => offset)).toEqual([0, 256, 448, 256]);
  const exact = [buffer(256, 0, 2), buffer(192, 0, 0), buffer(128, 0, 2), buffer(192, 1, 2)];
  placeBuffers(exact);
  expect(exact.map(({ offset }) => offset)).toEqual([0, 256, 448 + 0, 256]);
});

it('never lets two overlap that are in use at once, and wastes little', () => {
  const next = random(5);
  const integer = (most: number) => Math.floor(next() * most);
  for (let round = 0; round < 50; round++) {
    const buffers = Array.from({ length: 20 }, () => {
      const first = integer(12);
      return buffer(1 + integer(1000), first, first + integer(4));
    });
    const total = placeBuffers(buffers);
    for (const a of buffers) {
      expect(a.offset % ALIGNMENT).toBe(0);
      expect(a.offset + a.bytes).toBeLessThanOrEqual(total);
      for (const b of buffers) {
        if (a === b || a.lastStep < b.firstStep || b.lastStep < a.firstStep) continue;
        expect(a.offset >= b.offset + b.bytes || b.offset >= a.offset + a.bytes).toBe(true);
      }
    }
    const aligned = buffers.map((each) => ({ ...each, bytes: Math.ceil(each.bytes / ALIGNMENT) * ALIGNMENT }));
    expect(total).toBeGreaterThanOrEqual(peakBytes(aligned));
    expect(total).toBeLessThan(1.5 * peakBytes(aligned));
  }
});

it('knows the most bytes in use at one step', () => {
  expect(peakBytes([])).toBe(0);
  expect(peakBytes([buffer(10, 0, 1), buffer(20, 1, 2), buffer(25, 2, 2), buffer(1, 5, 6)])).toBe(45);
  expect(peakBytes([buffer(10, 0, 3), buffer(20, 1, 1), buffer(25, 3, 3)])).toBe(35);
});
