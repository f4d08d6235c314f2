import { resampleTable } from '../../src/image/resample.js';

// Tables small enough to be worked out by hand: for each output pixel, the first source pixel and the weights from there on.

type Row = readonly [start: number, ...weights: number[]];

function rowsOf(...given: Parameters<typeof resampleTable>): Row[] {
  const { taps, words } = resampleTable(...given);
  const starts = new Uint32Array(words.buffer);
  const rows: Row[] = [];
  for (let at = 0; at < words.length; at += taps + 1) rows.push([starts[at] as number, ...words.subarray(at + 1, at + 1 + taps)]);
  return rows;
}

function expectRows(actual: readonly Row[], expected: readonly Row[]): void {
  expect(actual.map(([start, ...weights]) => [start, weights.length])).toEqual(
    expected.map(([start, ...weights]) => [start, weights.length]),
  );
  for (const [i, [, ...weights]] of expected.entries()) {
    weights.forEach((weight, tap) => {
      expect(actual[i]?.[tap + 1]).toBeCloseTo(weight, 6);
    });
  }
}

it('takes each pixel as it is where nothing is resized', () => {
  for (const interpolation of ['bilinear', 'bicubic'] as const) {
    expectRows(rowsOf(5, 5, 1, 3, interpolation), [
      [1, 1],
      [2, 1],
      [3, 1],
    ]);
  }
});

it('enlarges bilinearly, and repeats the pixels at the edge', () => {
  expectRows(rowsOf(2, 4, 0, 4, 'bilinear'), [
    [0, 1, 0],
    [0, 0.75, 0.25],
    [0, 0.25, 0.75],
    [0, 0, 1],
  ]);
});

it('widens the filter with the step where it shrinks a line, and only if it is to', () => {
  expectRows(rowsOf(4, 2, 0, 2, 'bilinear'), [
    [0, 3 / 7, 3 / 7, 1 / 7, 0],
    [0, 0, 1 / 7, 3 / 7, 3 / 7],
  ]);
  expectRows(rowsOf(4, 2, 0, 2, 'bilinear', false), [
    [0, 0.5, 0.5, 0],
    [1, 0, 0.5, 0.5],
  ]);
});

it('begins at the first pixel that is wanted', () => {
  const whole = rowsOf(9, 4, 0, 4, 'bilinear');
  expectRows(rowsOf(9, 4, 1, 2, 'bilinear'), whole.slice(1, 3));
});

it('enlarges by a cubic of four pixels', () => {
  // Keys' cubic with a = -1/2, at distances of a quarter and of one and a quarter.
  const [near, far] = [0.8671875, -0.0703125];
  expectRows(rowsOf(2, 4, 0, 1, 'bicubic'), [[0, near / (near + far), far / (near + far)]]);
  // The middle of a long line: distances of 1.25, 0.25, 0.75 and 1.75.
  const values = [far, near, 0.2265625, -0.0234375];
  const [row] = rowsOf(8, 16, 7, 1, 'bicubic');
  expectRows([row as Row], [[2, ...values, 0]]);
});

it('shrinks by a cubic as wide as the step', () => {
  // 30 to 10: a step of 3, so distances are in thirds.
  const cubic = (x: number) => (x < 1 ? 1.5 * x ** 3 - 2.5 * x ** 2 + 1 : -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2);
  const distances = Array.from({ length: 11 }, (_, i) => Math.abs(i - 5) / 3);
  const sum = distances.reduce((total, x) => total + cubic(x), 0);
  const [row] = rowsOf(30, 10, 4, 1, 'bicubic');
  expectRows([row as Row], [[8, ...distances.map((x) => cubic(x) / sum), 0, 0]]);
});
