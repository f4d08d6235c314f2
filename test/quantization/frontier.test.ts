import { fuse } from '../../src/graph/fusion.js';
import { loadModel, quantize } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { cheapest, expectedAgreement, type Frontier, frontier } from '../../src/quantization/frontier.js';
import { random, randomNetwork, uniform } from '../random-network.js';

const logits = [1, 2, 3, 4].map((seed) => uniform(random(seed), 50, -3, 3));
const tensors = [
  { name: 'dear', noise: 0.02, cycles: 1000 },
  { name: 'cheap', noise: 0.02, cycles: 10 },
  { name: 'free', noise: 0.001, cycles: 0 },
  { name: 'harmless', noise: 1e-6, cycles: 500 },
];

describe('the frontier of agreement against cycles', () => {
  const points = frontier({ logits, tensors });

  it('widens what costs nothing first, then what gives most for its cycles', () => {
    expect(points.map(({ wide }) => wide.at(-1))).toEqual([undefined, 'free', 'cheap', 'dear', 'harmless']);
    expect(points.map(({ cycles }) => cycles)).toEqual([0, 0, 10, 1010, 1510]);
  });

  it('expects more agreement with every tensor, and all of it where nothing has 8 bits', () => {
    points.slice(1).forEach(({ agreement }, i) => {
      expect(agreement).toBeGreaterThanOrEqual((points[i] as (typeof points)[number]).agreement);
    });
    expect(points.at(-1)?.agreement).toBe(1);
  });

  it('gives the cheapest point that keeps the budget, and 16 bits everywhere for perfection', () => {
    const [, , third] = points as [unknown, unknown, (typeof points)[number]];
    expect(cheapest(points, third.agreement)).toBe(third);
    expect(cheapest(points, 0)).toBe(points[0]);
    expect(cheapest(points, 1)).toBe(points.at(-1));
  });

  it('takes the noisier of two that are worth as much, free ones too', () => {
    const of = (...noises: [noise: number, cycles: number][]) =>
      frontier({ logits, tensors: noises.map(([noise, cycles]) => ({ name: `${noise}`, noise, cycles })) }).at(-1)?.wide;
    expect(of([0.01, 0], [0.03, 0], [0.02, 0])).toEqual(['0.03', '0.02', '0.01']);
    expect(of([0.25, 1], [0.5, 2])).toEqual(['0.5', '0.25']);
    expect(of([0.5, 2], [0.25, 1])).toEqual(['0.5', '0.25']);
  });

  it('says the signal over the noise that is left', () => {
    points.forEach(({ sqnrDb }, i) => {
      expect(sqnrDb).toBeCloseTo(-10 * Math.log10([0.041001, 0.040001, 0.020001, 1e-6, 0][i] as number), 9);
    });
  });

  it('measures margins in standard deviations of all logits, about the mean of each image', () => {
    const expected = (logits: readonly Float32Array[]) =>
      frontier({ logits, tensors: [{ name: 'only', noise: 2, cycles: 1 }] })[0]?.agreement;
    // Deviations from the images' means are 1 and -1: a deviation of 1, whatever the means.
    const own = [Float32Array.of(9, 11), Float32Array.of(-4, -6)];
    // Both margins are 2, and the difference has a deviation of 2.
    expect(expected(own)).toBeCloseTo(0.841345, 5);
    expect(expected(own.map((values) => values.map((v) => v * 7)))).toBeCloseTo(0.841345, 5);
    // Logits that are all equal have no deviation.
    expect(expected([Float32Array.of(3, 3)])).toBeCloseTo(0.5, 5);
  });

  it('expects nothing of what lies far away', () => {
    expect(expectedAgreement([Float64Array.of(8 * Math.sqrt(2))], 1)).toBe(1);
    expect(expectedAgreement([Float64Array.of(7.9 * Math.sqrt(2))], 1)).toBeCloseTo(1, 9);
    expect(expectedAgreement([Float64Array.of(Number.POSITIVE_INFINITY, 1)], 0.5)).toBeCloseTo(0.841345, 5);
    expect(expectedAgreement([Float64Array.of(1), Float64Array.of(0)], 0.5)).toBeCloseTo((0.841345 + 0.5) / 2, 5);
  });

  it('expects what noise does to two logits', () => {
    // The error of a difference is normal with variance 2 x 0.5: the share above 1 is 15.87 %, above 0 it is half.
    expect(expectedAgreement([Float64Array.of(1)], 0.5)).toBeCloseTo(0.8413, 4);
    expect(expectedAgreement([Float64Array.of(0)], 0.5)).toBeCloseTo(0.5, 4);
    expect(expectedAgreement([Float64Array.of(1, 1)], 0.5)).toBeCloseTo(0.841345 ** 2, 4);
  });
});

describe('quantize() with a budget', () => {
  const network = fuse(randomNetwork('mobilenet_v3_small', { classes: 11, width: 0.25 }));
  const images = [1, 2].map((seed) => ({ data: uniform(random(seed), 64 * 64 * 3, -2, 2), shape: [1, 64, 64, 3] as const }));

  it('gives 16 bits to the tensors that it says, and says what every tensor costs', async () => {
    const float = await localModel(network);
    let bits: Frontier | undefined;
    const onFrontier = (frontier: Frontier) => {
      bits = frontier;
    };
    const options = { activations: 8, rounding: 'nearest' } as const;
    const model = await quantize(float, images, { ...options, budget: 0.999, onFrontier });
    const { chosen, tensors: costs } = bits as unknown as Frontier;
    expect(chosen.wide.length).toBeGreaterThan(0);
    expect(costs.every(({ noise, cycles }) => noise >= 0 && cycles >= 0)).toBe(true);
    expect(costs.some(({ noise }) => noise > 0)).toBe(true);
    // The same as by name.
    expect(Buffer.compare((await quantize(float, images, { ...options, wide: chosen.wide })).save(), model.save())).toBe(0);
    expect((await loadModel(model.save())).precision).toBe('int8');
    float.dispose();
  });

  it('says what a budget must be', async () => {
    const float = await localModel(network);
    await expect(quantize(float, images, { activations: 8, budget: 95 })).rejects.toThrow('budget must be a share from 0 to 1; got 95.');
    await expect(quantize(float, images, { budget: 0.9 })).rejects.toThrow('it needs activations: 8');
    float.dispose();
  });
});
