import { cosineSimilarity, normalized } from '../../src/tasks/embedding.js';

const floats = (...values: number[]) => Float32Array.from(values);

describe('cosineSimilarity', () => {
  it('is the cosine of the angle, whatever the lengths', () => {
    expect(cosineSimilarity(floats(3, 4), floats(6, 8))).toBeCloseTo(1, 12);
    expect(cosineSimilarity(floats(1, 0), floats(0, 5))).toBe(0);
    expect(cosineSimilarity(floats(1, 2, 3), floats(-1, -2, -3))).toBeCloseTo(-1, 12);
    expect(cosineSimilarity(floats(1, 0), floats(1, 1))).toBeCloseTo(Math.SQRT1_2, 7);
  });

  it('stays between -1 and 1', () => {
    for (let seed = 1; seed < 200; seed++) {
      const a = Float32Array.from({ length: 7 }, (_, i) => Math.sin(seed * (i + 1)));
      expect(Math.abs(cosineSimilarity(a, a))).toBeLessThanOrEqual(1);
    }
  });

  it('is 0 for an embedding of zeros', () => {
    expect(cosineSimilarity(floats(0, 0), floats(1, 2))).toBe(0);
  });

  it('refuses what cannot be compared', () => {
    expect(() => cosineSimilarity(floats(1, 2), floats(1))).toThrow(
      'cosineSimilarity() takes two embeddings of one length above 0; got 2 and 1 values.',
    );
    expect(() => cosineSimilarity(floats(), floats())).toThrow(/got 0 and 0 values/);
    expect(() => cosineSimilarity(floats(1, Number.NaN), floats(1, 2))).toThrow(/holds NaN or an infinity/);
  });
});

it('normalizes row by row', () => {
  expect([...normalized(floats(3, 4, 0, 0, 0, 2), 2)]).toEqual([Math.fround(0.6), Math.fround(0.8), 0, 0, 0, 1]);
});
