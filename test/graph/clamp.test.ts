import { activationFor, type Clamp, clampOf, clampOfActivation, compose, isIdentity, isLine, near, nodeOf } from '../../src/graph/clamp.js';

const INFINITY = Number.POSITIVE_INFINITY;
const clamp = (alpha: number, beta: number, low = -INFINITY, high = INFINITY): Clamp => ({ alpha, beta, low, high });
const at = ({ alpha, beta, low, high }: Clamp, x: number) => Math.min(Math.max(alpha * x + beta, low), high);
const XS = [-100, -4, -3, -1, -0.5, 0, 0.25, 1, 3, 5.5, 6, 7, 100];

it('knows every activation but h-swish as a clamp', () => {
  const functions = {
    none: (x: number) => x,
    relu: (x: number) => Math.max(x, 0),
    relu6: (x: number) => Math.min(Math.max(x, 0), 6),
    hardSigmoid: (x: number) => Math.min(Math.max(x + 3, 0), 6) / 6,
  };
  for (const [name, f] of Object.entries(functions)) {
    for (const x of XS) expect(at(clampOfActivation(name as 'none') as Clamp, x)).toBeCloseTo(f(x), 12);
  }
  expect(clampOfActivation('hardSwish')).toBeUndefined();
});

it('knows nodes of one input that are clamps', () => {
  expect(clampOf({ kind: 'activation', name: 'a', inputs: ['x'], activation: 'relu6' })).toEqual(clamp(1, 0, 0, 6));
  expect(clampOf({ kind: 'affine', name: 'a', inputs: ['x'], alpha: 2, beta: 3 })).toEqual(clamp(2, 3));
  expect(clampOf({ kind: 'affine', name: 'a', inputs: ['x'], alpha: 2, beta: 3, low: -1, high: 1 })).toEqual(clamp(2, 3, -1, 1));
  expect(clampOf({ kind: 'globalAveragePool', name: 'a', inputs: ['x'] })).toBeUndefined();
  expect(clampOf({ kind: 'multiply', name: 'a', inputs: ['x', 'y'] })).toBeUndefined();
});

it('composes clamps into one, of any slope', () => {
  const some = [clamp(1, 0), clamp(2, -1, 0, 6), clamp(-0.5, 3, -2, 1), clamp(0, 4, 0, 9), clamp(1, 0, 0), clamp(-3, 0.5), clamp(0, 1)];
  for (const outer of some) {
    for (const inner of some) for (const x of XS) expect(at(compose(outer, inner), x)).toBeCloseTo(at(outer, at(inner, x)), 12);
  }
});

it('calls numbers near that differ by float32 rounding', () => {
  expect(near(1 + 1e-6, 1)).toBe(true);
  expect(near(1 + 1e-4, 1)).toBe(false);
  expect(near(1 - 1e-4, 1)).toBe(false);
  // Relative to large numbers, absolute near zero.
  expect(near(1000 + 5e-3, 1000)).toBe(true);
  expect(near(-1000 - 5e-3, -1000)).toBe(true);
  expect(near(1e-6, 0)).toBe(true);
  expect(near(1e-4, 1e-7)).toBe(false);
  expect(near(0.5 + 1e-5, 0.5, 1e-5)).toBe(near(0.5 + 1e-5 - 0.5, 0, 1e-5));
  expect(near(5.98, 6, 0.01)).toBe(true);
  expect(near(2, 1, 1)).toBe(true);
});

it('tells lines and what changes nothing', () => {
  expect([clamp(2, 1), clamp(1, 0, 0), clamp(1, 0, -INFINITY, 6), clamp(1, 0, 0, 6)].map(isLine)).toEqual([true, false, false, false]);
  expect([clamp(1, 0), clamp(1 + 1e-7, 1e-7), clamp(2, 0), clamp(1, 1), clamp(1, 0, 0)].map(isIdentity)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

it('finds the activation that clamps so, and what it wants its input to be', () => {
  const cases: [Clamp, ReturnType<typeof activationFor>][] = [
    [clamp(2, 3), { activation: 'none', scale: 2, offset: 3 }],
    [clamp(1 + 1e-7, 1e-7), { activation: 'none', scale: 1, offset: 0 }],
    [clamp(2, 3, 0), { activation: 'relu', scale: 2, offset: 3 }],
    [clamp(1, 0, 0, 6), { activation: 'relu6', scale: 1, offset: 0 }],
    [clamp(1, 0, 0, 5.98), { activation: 'relu6', scale: 1, offset: 0 }],
    [clamp(1 / 6, 0.5, 0, 1), { activation: 'hardSigmoid', scale: 1, offset: 0 }],
    [clamp(1 / 3, 1, 0, 0.995), { activation: 'hardSigmoid', scale: 2, offset: 3 }],
    [clamp(1, 0, 0, 3), undefined],
    [clamp(1, 0, -1, 6), undefined],
    [clamp(1, 0, 1), undefined],
    [clamp(1, 0, -INFINITY, 6), undefined],
  ];
  for (const [given, expected] of cases) {
    const found = activationFor(given);
    expect(found?.activation).toBe(expected?.activation);
    if (!expected || !found) continue;
    expect(found.scale).toBeCloseTo(expected.scale, 12);
    expect(found.offset).toBeCloseTo(expected.offset, 12);
  }
  // To the bit: what is nearly plain is plain.
  expect(activationFor(clamp(1 + 1e-7, 1e-7))).toEqual({ activation: 'none', scale: 1, offset: 0 });
});

it('makes nodes that name the bounds they have', () => {
  expect(nodeOf(clamp(2, 3))).toEqual({ kind: 'affine', alpha: 2, beta: 3 });
  expect(nodeOf(clamp(2, 3, 0))).toEqual({ kind: 'affine', alpha: 2, beta: 3, low: 0 });
  expect(nodeOf(clamp(2, 3, -INFINITY, 6))).toEqual({ kind: 'affine', alpha: 2, beta: 3, high: 6 });
});
