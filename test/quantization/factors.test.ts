import type { ConvNode, Graph, Node } from '../../src/graph/graph.js';
import { compensated, DAMPING, factorize } from '../../src/quantization/compensate.js';
import type { StepCosts } from '../../src/quantization/eight-bits.js';
import { inRows, rowFactors, stepFactors, takesFactors } from '../../src/quantization/factors.js';
import { largestScales } from '../../src/quantization/filters.js';
import { conv } from '../graph/nodes.js';
import { random, uniform } from '../random-network.js';

const quarter = (power: number) => 2 ** (power / 4);

describe('a convolution takes its input’s scales in', () => {
  const graphOf = (maker: Node, ...more: Node[]): Pick<Graph, 'nodes' | 'outputs'> => ({
    nodes: [conv({ name: 'first', inputs: ['input'] }), maker, conv({ name: 'reader', inputs: ['x'] }), ...more],
    outputs: { embedding: 'reader' },
  });
  const takes = (maker: Node, more: Node[] = [], change: Partial<ConvNode> = {}, embedding = 'reader') => {
    const { nodes } = graphOf(maker, ...more);
    const graph = { architecture: 'test', width: 1, resolution: 32, classes: 0, nodes, outputs: { embedding } };
    return takesFactors(graph, { ...(nodes[2] as ConvNode), ...change });
  };
  const of = (change: Partial<ConvNode> = {}) => conv({ name: 'x', inputs: ['first'], ...change });

  it.each([
    ['of a convolution', of()],
    ['of one with a ReLU', of({ activation: 'relu' })],
    ['of one with an h-swish', of({ activation: 'hardSwish' })],
    ['of a product', { kind: 'multiply', name: 'x', inputs: ['first', 'first'] }],
    ['of a pool', { kind: 'globalAveragePool', name: 'x', inputs: ['first'] }],
  ] as const)('%s', (_, maker) => {
    expect(takes(maker)).toBe(true);
  });

  it.each([
    ['one that ends at 6', of({ activation: 'relu6' })],
    ['one that ends at 1', of({ activation: 'hardSigmoid' })],
    ['one that adds a residual', of({ inputs: ['first', 'first'] })],
    ['a sum', { kind: 'add', name: 'x', inputs: ['first', 'first'], activation: 'none' }],
    ['an activation', { kind: 'activation', name: 'x', inputs: ['first'], activation: 'hardSwish' }],
    ['nobody, the image itself', conv({ name: 'other', inputs: ['first'] })],
  ] as const)('but not those of %s', (_, maker) => {
    expect(takes(maker)).toBe(false);
  });

  it('where nobody else reads them, and it sums over channels', () => {
    expect(takes(of(), [conv({ name: 'second', inputs: ['x'] })])).toBe(false);
    expect(takes(of(), [], {}, 'x')).toBe(false);
    expect(takes(of(), [], { groups: 8 })).toBe(false);
  });
});

/** Steps a quarter of an octave apart, and what each costs: least at `best`, twice as much with each step away from there. */
const costsOf = (best: readonly number[], count = 12): StepCosts => ({
  low: 0,
  steps: Array.from({ length: count }, (_, i) => 0.5 / quarter(i)),
  noise: best.map((own) => Float64Array.from({ length: count }, (_, i) => 2 ** Math.abs(i - own))),
});

describe('factors for the steps’ sake', () => {
  it('give each channel the step that suits it', () => {
    const costs = costsOf([0, 5, 2]);
    const { rows, unit } = stepFactors(Float32Array.of(1, 1, 1), 1, 3, costs);
    [0, 5, 2].forEach((best, c) => {
      expect((rows[c] as number) * (unit as number)).toBeCloseTo(costs.steps[best] as number, 6);
    });
    expect(rows[0]).toBe(1);
  });

  it('take the first of equally good steps', () => {
    const flat = {
      ...costsOf([0]),
      noise: [new Float64Array(12).fill(1), Float64Array.from({ length: 12 }, (_, i) => (i === 11 ? 0 : 1))],
    };
    const { rows, unit } = stepFactors(Float32Array.of(1, 1), 1, 2, flat);
    expect(rows[0]).toBe(1);
    expect(rows[1]).toBeCloseTo(1 / quarter(11), 6);
    expect(unit).toBe(0.5);
  });
});

const inputs = 4;
const channels = 6;
const identity = Float64Array.from({ length: inputs * inputs }, (_, i) => (i % (inputs + 1) === 0 ? 1 : 0));
const filterOf = (...sizes: number[]) =>
  uniform(random(5), inputs * channels).map((w, i) => (i % channels === 0 ? 1 : w) * (sizes[Math.floor(i / channels)] as number));

/** What rounding leaves with factors that are powers of a quarter octave, by the definition. */
function errorWith(filter: Float32Array, covariance: Float64Array, powers: readonly number[]): number {
  const grown = filter.map((w, i) => w * quarter(powers[Math.floor(i / channels)] as number));
  const shrunk = covariance.map((v, i) => v / quarter(powers[Math.floor(i / inputs)] as number) / quarter(powers[i % inputs] as number));
  const { error } = compensated(factorize(shrunk, inputs, DAMPING), grown, largestScales(grown, channels));
  return error.reduce((a, b) => a + b, 0);
}
const powersOf = (rows: Float32Array) => [...rows].map((row) => Math.round(Math.log2(row) * 4));

describe('factors for the weights’ sake', () => {
  it('are none where all channels are alike', () => {
    expect(rowFactors(filterOf(1, 1, 1, 1), identity, inputs)).toBeUndefined();
  });

  it('lift small weights by the quarter of the way that leaves the least error', () => {
    for (const sizes of [
      [1, 1 / 16, 1, 1],
      [1 / 4, 1, 1 / 64, 1],
    ]) {
      const filter = filterOf(...sizes);
      const { rows, unit } = rowFactors(filter, identity, inputs) as { rows: Float32Array; unit?: number };
      expect(unit).toBeUndefined();
      const down = sizes.map((size) => Math.round(-Math.log2(size) * 4) + 0);
      const tried = [0, 1, 2, 3, 4].map((quarters) => down.map((power) => Math.round((power * quarters) / 4)));
      const errors = tried.map((powers) => errorWith(filter, identity, powers));
      const best = errors.indexOf(Math.min(...errors));
      expect(best).toBeGreaterThan(0);
      expect(powersOf(rows)).toEqual(tried[best]?.map((power) => power + 0));
      rows.forEach((row, c) => {
        expect(row).toBeCloseTo(quarter(tried[best]?.[c] as number), 4);
      });
    }
  });

  it('lift nothing by more than six octaves', () => {
    const filter = filterOf(1, 0, 2 ** -20, 1);
    const { rows } = rowFactors(filter, identity, inputs) as { rows: Float32Array };
    expect(Math.max(...rows)).toBeLessThanOrEqual(64);
    expect(Math.max(...rows)).toBeGreaterThan(1);
  });

  it('know one input channel of a window from another', () => {
    // Two taps of two channels: the second channel's weights are small in both.
    const filter = filterOf(1, 1 / 16, 1, 1 / 16);
    const { rows } = rowFactors(filter, identity, 2) as { rows: Float32Array };
    expect(rows).toHaveLength(2);
    expect(rows[0]).toBe(1);
    expect(rows[1]).toBeGreaterThan(1);
  });

  it('are left alone where a filter is large', () => {
    // size x size x channels / 2 multiplications: more than ten millions are too many.
    const size = 128;
    const [most, more] = [1220, 1221]; // 9,994,240 and 10,002,432
    const large = (channels: number) =>
      Float32Array.from({ length: size * channels }, (_, i) => (i < channels ? 1 / 16 : 1) * (1 - (i % 7) / 9));
    const covariance = Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
    expect(rowFactors(large(most), covariance, size)).toBeDefined();
    expect(rowFactors(large(more), covariance, size)).toBeUndefined();
    // Where its input has 8 bits, steps count all the same.
    const costs = costsOf(Array.from({ length: size }, (_, i) => i % 3));
    const { rows, unit } = rowFactors(large(more), covariance, size, costs) as { rows: Float32Array; unit: number };
    expect([rows[0], unit]).toEqual([1, 0.5]);
    expect(rows[1]).toBeCloseTo(1 / quarter(1), 6);
    expect(rows[2]).toBeCloseTo(1 / quarter(2), 6);
  });
});

describe('factors for both', () => {
  it('count the steps’ noise by the weights’ energy, and what rounding leaves', () => {
    const filter = filterOf(1, 1 / 16, 1, 1);
    const dear = (by: number, third: number) => {
      const costs = costsOf([0, 0, third, 0], 32);
      return rowFactors(filter, identity, inputs, { ...costs, noise: costs.noise.map((own) => own.map((value) => value * by)) });
    };
    // Noise that is worth nothing: the factors of the weights alone. Noise that is worth everything: those of the steps.
    const weights = rowFactors(filter, identity, inputs) as { rows: Float32Array };
    const light = dear(1e-12, 0) as { rows: Float32Array; unit: number };
    expect(light.rows).toEqual(weights.rows);
    const heavy = dear(1e6, 8) as { rows: Float32Array; unit: number };
    expect(powersOf(heavy.rows)).toEqual([0, 0, -8, 0]);
    expect(heavy.unit).toBeCloseTo(0.5, 9);
  });

  it('have a result where there are costs, though no factors are needed', () => {
    const { rows, unit } = rowFactors(filterOf(1, 1, 1, 1), identity, inputs, costsOf([3, 3, 3, 3])) as {
      rows: Float32Array;
      unit: number;
    };
    expect(powersOf(rows).every((power) => power === powersOf(rows)[0])).toBe(true);
    expect((rows[0] as number) * unit).toBeCloseTo(0.5 / quarter(3), 6);
  });
});

it('moves factors from the input into the filter', () => {
  const filter = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const covariance = Float64Array.from({ length: 16 }, (_, i) => i + 1);
  const [grown, shrunk] = inRows(filter, covariance, Float32Array.of(2, 0.5));
  expect([...grown]).toEqual([2, 4, 1.5, 2, 10, 12, 3.5, 4]);
  expect([...shrunk]).toEqual([1 / 4, 2, 3 / 4, 4, 5, 24, 7, 32, 9 / 4, 10, 11 / 4, 12, 13, 56, 15, 64]);
});
