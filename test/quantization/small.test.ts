import type { Node } from '../../src/graph/graph.js';
import { type Lanes, scaleOf } from '../../src/graph/lanes.js';
import { type FloatWeights, isQuantized, type Network, type QuantizedWeights } from '../../src/graph/network.js';
import { calibrate, type QuantizeOptions, quantizeSession, roundedBy } from '../../src/quantization/calibrate.js';
import { floatNetwork } from '../../src/quantization/dequantize.js';
import { argmax, Divergence } from '../../src/quantization/divergence.js';
import type { Histogram } from '../../src/quantization/histogram.js';
import { bitsIn } from '../../src/quantization/lanes.js';
import type { Calibration, Range } from '../../src/quantization/observe.js';
import { quantizeNetwork } from '../../src/quantization/quantize.js';
import { pieces, roundedWeights } from '../../src/quantization/refine.js';
import { SCHEMES, type Scheme } from '../../src/quantization/schemes.js';
import { Session } from '../../src/runtime/session.js';
import { follow, type Values } from '../graph/interpret.js';
import { NODES, picture, smallNetwork } from '../small-network.js';

// Quantization of a network that is small enough to be followed by plain loops.

const network = smallNetwork();
const images = [1, 2, 3, 4].map((seed) => picture(seed, 32, seed % 2 ? 32 : 40));
const tensorsOf = (image: (typeof images)[number]) =>
  follow(NODES, network.weights, { input: { shape: [image.shape[1], image.shape[2], 3], data: [...image.data] } });
const seen = images.map(tensorsOf);

let session: Session;
let calibration: Calibration;
let plain: Calibration;
beforeAll(async () => {
  session = await Session.create(network, { simd: 'baseline' });
  calibration = await calibrate(session, images, { histograms: true });
  plain = await calibrate(session, images);
});
afterAll(() => session.dispose());

async function logitsOf(given: Network, image = picture(11)): Promise<Float32Array> {
  const session = await Session.create(given, { simd: 'baseline' });
  const plan = session.infer(() => session.put(image));
  const logits = session.output(plan.results.logits as NonNullable<typeof plan.results.logits>).slice();
  session.dispose();
  return logits;
}

async function sqnrOf(given: Network): Promise<number> {
  const divergence = new Divergence();
  for (const seed of [11, 12, 13]) divergence.add(await logitsOf(network, picture(seed)), await logitsOf(given, picture(seed)));
  return divergence.sqnrDb;
}

describe('calibration', () => {
  it('learns the least, the greatest and the sum of each channel of each tensor', () => {
    expect([...calibration.ranges.keys()]).toEqual(['input', ...NODES.map(({ name }) => name)]);
    for (const [name, { min, max, sum, pixels }] of calibration.ranges) {
      const all = seen.map((tensors) => tensors.get(name) as Values);
      expect(pixels).toBe(all.reduce((total, { shape }) => total + shape[0] * shape[1], 0));
      min.forEach((least, c) => {
        const values = all.flatMap(({ shape, data }) => data.filter((_, i) => i % shape[2] === c));
        expect(least).toBeCloseTo(Math.min(...values), 4);
        expect(max[c]).toBeCloseTo(Math.max(...values), 4);
        expect((sum[c] as number) / pixels).toBeCloseTo(values.reduce((a, b) => a + b) / pixels, 4);
      });
    }
  });

  it('counts values in histograms, of the tensor and of its channels, where it is to', () => {
    const { histogram, halves, pixels, min, max } = calibration.ranges.get('stem') as Required<Range>;
    for (const half of halves) expect(half).toHaveLength(8);
    // Values beyond [0, 0] are clipped: their squares are left.
    const squares = (c?: number) =>
      seen.reduce((total, tensors) => {
        const { data } = tensors.get('stem') as Values;
        return total + data.reduce((sum, v, i) => sum + (c === undefined || i % 8 === c ? v * v : 0), 0);
      }, 0);
    expect(histogram.squaredError(0, 0, 255) / squares()).toBeCloseTo(1, 2);
    min.forEach((least, c) => {
      const own = halves.map((half) => half[c] as Histogram);
      expect(own.reduce((sum, one) => sum + one.squaredError(0, 0, 255), 0) / squares(c)).toBeCloseTo(1, 1);
      const bounds = own.map((one) => one.percentile(0));
      expect(Math.abs(Math.min(...bounds.map(([low]) => low)) - least)).toBeLessThan(0.1);
      expect(Math.abs(Math.max(...bounds.map(([, high]) => high)) - (max[c] as number))).toBeLessThan(0.1);
    });
    expect(pixels).toBeGreaterThan(0);
    expect(plain.ranges.get('stem')).not.toHaveProperty('histogram');
  });

  it('keeps its inputs, counts them aloud, and stops when it is told to', async () => {
    expect(calibration.inputs.map(({ height, width, data }) => [height, width, data])).toEqual(
      images.map(({ shape, data }) => [shape[1], shape[2], data]),
    );
    const counts: number[] = [];
    await calibrate(session, images, { onProgress: (count) => counts.push(count) });
    expect(counts).toEqual([1, 2, 3, 4]);
    const signal = AbortSignal.abort();
    await expect(calibrate(session, images, { signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    await expect(calibrate(session, [])).rejects.toThrow('quantization needs at least one calibration input; got none.');
  });

  it('refuses what is not finite', async () => {
    const image = picture(1);
    image.data[100] = Number.NaN;
    await expect(calibrate(session, [image])).rejects.toThrow('a calibration input holds NaN or infinity; calibrate on finite images.');
    const huge = smallNetwork();
    (huge.weights.get('stem') as FloatWeights).filter.fill(3e38);
    const other = await Session.create(huge);
    await expect(calibrate(other, [picture(1)])).rejects.toThrow('"stem" holds NaN or infinity');
    other.dispose();
  });
});

describe('integers', () => {
  const lanesIn = (scheme: Scheme, by: Calibration = calibration) => quantizeNetwork(network, by.ranges, { scheme }).lanes;
  const range = (name: string) => {
    const { min, max } = calibration.ranges.get(name) as Range;
    return { low: Math.min(...min), high: Math.max(...max), largest: Array.from(min, (m, c) => Math.max(-m, max[c] as number)) };
  };

  it('of 16 bits have room above what was seen, but for the image and for relu6', () => {
    const lanes = lanesIn(SCHEMES.refined);
    const reach = (name: string) => {
      const { scale, high, low } = lanes.get(name) as Lanes;
      expect(low).toBe(-high);
      return Array.from(typeof scale === 'number' ? [scale] : scale, (s) => s * high);
    };
    const { low, high } = range('input');
    expect(reach('input')[0]).toBeCloseTo(Math.max(-low, high), 4);
    expect(reach('expand')).toHaveLength(16);
    for (const top of reach('expand')) expect(top).toBeCloseTo(6, 4);
    // Only depthwise convolutions read a tensor channel by channel.
    const { largest } = range('stem');
    reach('stem').forEach((top, c) => {
      expect(top).toBeCloseTo(4 * Math.max(largest[c] as number, Math.max(...largest) / 8), 4);
    });
    expect(reach('project')[0]).toBeCloseTo(4 * Math.max(-range('project').low, range('project').high), 4);
    expect(reach('classifier')).toHaveLength(1);
    expect(lanes.get('classifier')?.high).toBe(32767);
    expect(lanes.get('gate')).toEqual({ scale: 2 ** -15, low: 0, high: 32767 });
    // The gate leaves the lanes as they are.
    expect(lanes.get('gated')).toBe(lanes.get('depthwise'));
  });

  it('of 16 bits are no larger than sums bear', () => {
    const lanes = lanesIn(SCHEMES.wide);
    const quantized = quantizeNetwork(network, calibration.ranges, { scheme: SCHEMES.wide });
    for (const node of NODES) {
      if (node.kind !== 'conv') continue;
      const { filter, bias } = quantized.weights.get(node.name) as QuantizedWeights;
      const { high } = lanes.get(node.inputs[0] as string) as Lanes;
      for (let c = 0; c < node.channels; c++) {
        const weight = Array.from(filter).reduce((sum, w, i) => sum + (i % node.channels === c ? Math.abs(w) : 0), 0);
        expect(weight * high + Math.abs(bias[c] as number)).toBeLessThan(2 ** 31);
      }
    }
  });

  it.each<[keyof typeof SCHEMES, number]>([
    ['perTensor', 8],
    ['leastSquares', 8],
    ['perChannel', 8],
    ['bottleneck', 8],
    ['eight', 8],
    ['wide', 16],
    ['best', 16],
  ])('have the bits that the scheme %s says', (name, bits) => {
    const lanes = lanesIn(SCHEMES[name]);
    const widthOf = (tensor: string) => {
      const { low, high } = lanes.get(tensor) as Lanes;
      return high - low > 255 ? 16 : 8;
    };
    const bottleneck = SCHEMES[name].bottleneckBits;
    expect(['stem', 'depthwise', 'expand', 'second'].map(widthOf)).toEqual([bits, bits, bits, bits]);
    expect(['project', 'again'].map(widthOf)).toEqual([bottleneck, bottleneck]);
    expect(widthOf('classifier')).toBe(16);
    const vector = 'wideVectors' in SCHEMES[name] ? 16 : bits;
    expect(['squeeze', 'pool', 'swish'].map(widthOf)).toEqual([vector, vector, vector]);
  });

  it('of 8 bits cover what was seen, with zero on a step', () => {
    const lanes = lanesIn(SCHEMES.perTensor);
    for (const name of ['input', 'stem', 'depthwise', 'project', 'expand', 'pool']) {
      const { scale, low, high } = lanes.get(name) as { scale: number; low: number; high: number };
      expect(high - low).toBe(255);
      expect(Math.abs(low * scale - Math.min(range(name).low, 0))).toBeLessThanOrEqual(0.51 * scale);
      expect(Math.abs(high * scale - Math.max(range(name).high, 0))).toBeLessThanOrEqual(0.51 * scale);
    }
    expect(lanes.get('gate')).toEqual({ scale: 1 / 255, low: 0, high: 255 });
    expect(typeof lanes.get('stem')?.scale).toBe('number');
    expect(lanesIn(SCHEMES.perChannel).get('stem')?.scale).toHaveLength(8);
  });

  it('keep 16 bits where they are asked to', () => {
    const bits = bitsIn(network.graph, { ...SCHEMES.eight, wide: new Set(['stem']) });
    expect(['input', 'stem', 'depthwise', 'pool', 'swish', 'classifier'].map(bits)).toEqual([8, 16, 8, 16, 16, 16]);
  });

  it('need a range for each tensor', () => {
    const ranges = new Map(calibration.ranges);
    ranges.delete('depthwise');
    expect(() => quantizeNetwork(network, ranges)).toThrow('calibration saw nothing of "depthwise".');
  });
});

describe('a quantized network', () => {
  const nearest = (scheme: Scheme) => quantizeNetwork(network, calibration.ranges, { scheme });

  it('is the nearer the finer its scheme', async () => {
    // A bit is 6 dB. These are floors for a network whose filters have 8 bits.
    expect(await sqnrOf(nearest(SCHEMES.perTensor))).toBeGreaterThan(24);
    expect(await sqnrOf(nearest(SCHEMES.perChannel))).toBeGreaterThan(26);
    expect(await sqnrOf(nearest(SCHEMES.wide))).toBeGreaterThan(32);
    expect(await sqnrOf(nearest(SCHEMES.refined))).toBeGreaterThan(34);
  });

  it('rounds for the error of the output with less than nearest rounding', async () => {
    for (const scheme of [SCHEMES.best, SCHEMES.eight]) {
      const rounded = await roundedBy(network, calibration, scheme);
      const better = quantizeNetwork(network, calibration.ranges, { scheme, rounded });
      expect(await sqnrOf(better)).toBeGreaterThan((await sqnrOf(quantizeNetwork(network, calibration.ranges, { scheme }))) - 1);
      expect([...rounded.keys()]).toEqual([...network.weights.keys()]);
    }
    expect((await roundedBy(network, calibration, SCHEMES.refined)).size).toBe(0);
  });

  it('keeps layers in float32', async () => {
    const mixed = quantizeNetwork(network, calibration.ranges, { scheme: SCHEMES.refined, keepFloat: new Set(['stem', 'project']) });
    expect([...mixed.weights].filter(([, weights]) => !isQuantized(weights)).map(([name]) => name)).toEqual(['stem', 'project']);
    expect(mixed.weights.get('stem')).toBe(network.weights.get('stem'));
    expect(await sqnrOf(mixed)).toBeGreaterThan(34);
  });

  it('has a float network behind it, near the one that it was made of', async () => {
    for (const scheme of [SCHEMES.refined, SCHEMES.perChannel, SCHEMES.perTensor]) {
      const behind = floatNetwork(nearest(scheme));
      expect(behind.lanes.size).toBe(0);
      expect(await sqnrOf(behind)).toBeGreaterThan(32);
    }
    expect(floatNetwork(network)).toBe(network);
    const rounded = await roundedBy(network, calibration, SCHEMES.eight);
    expect(await sqnrOf(floatNetwork(quantizeNetwork(network, calibration.ranges, { scheme: SCHEMES.eight, rounded })))).toBeGreaterThan(
      25,
    );
  });

  it('whose weights are next to nothing beside a bias keeps that bias', async () => {
    const extreme = smallNetwork();
    const weights = extreme.weights as Map<string, FloatWeights>;
    const { filter, bias } = weights.get('project') as FloatWeights;
    weights.set('project', { filter: filter.map((w, i) => (i % 8 === 2 ? w * 1e-9 : w)), bias: bias.map((b, c) => (c === 2 ? 1.5 : b)) });
    const other = await Session.create(extreme);
    const { ranges } = await calibrate(other, images);
    other.dispose();
    const quantized = quantizeNetwork(extreme, ranges, { scheme: SCHEMES.refined });
    const own = quantized.weights.get('project') as QuantizedWeights;
    const unit = (own.scale[2] as number) * scaleOf(quantized.lanes.get('gated') as Lanes, 2);
    expect(Math.abs(own.bias[2] as number)).toBeLessThanOrEqual(2 ** 30);
    expect(unit).toBeGreaterThan(0);
    const [a, b] = [await logitsOf(extreme), await logitsOf(quantized)];
    a.forEach((value, i) => {
      expect(Math.abs(value - (b[i] as number))).toBeLessThan(0.1);
    });
  });
});

describe('what saturation does', () => {
  // A file that has no activations: an output that begins at zero is a relu, one that also ends at 6 a relu6.
  const lanes = (low: number, scale: number | Float32Array, high = 255): Lanes => ({ low, scale, high });
  const spelled = (kind: Partial<Node>, own: Lanes) => {
    const node = { ...(NODES[5] as Node), ...kind, name: 'y', inputs: ['x'] } as Node;
    const input = lanes(-128, 0.1, 127);
    const first = { ...(NODES[5] as Node), name: 'x', inputs: ['input'], inputChannels: 3, activation: 'hardSwish' } as Node;
    const weight = (size: number): QuantizedWeights => ({
      filter: new Int8Array(size).fill(3),
      scale: new Float32Array(8).fill(0.1),
      zeroPoint: 1,
      bias: new Int32Array(8).fill(5),
    });
    const given: Network = {
      ...network,
      graph: { ...network.graph, nodes: [first, node], outputs: { embedding: 'y' } },
      weights: new Map([['x', weight(24)], ...(node.kind === 'conv' ? [['y', weight(64)] as const] : [])]),
      lanes: new Map([
        ['input', input],
        ['x', input],
        ['y', own],
      ]),
    };
    const found = floatNetwork(given);
    const last = found.graph.nodes.at(-1) as Node;
    return { last, weights: found.weights.get('y') as FloatWeights };
  };

  it('is a relu or a relu6', () => {
    expect(spelled({}, lanes(0, 0.1)).last).toMatchObject({ activation: 'relu' });
    expect(spelled({}, lanes(0, 6 / 255)).last).toMatchObject({ activation: 'relu6' });
    expect(spelled({}, lanes(0, 6.1 / 255)).last).toMatchObject({ activation: 'relu' });
    expect(spelled({}, lanes(-1, 0.1)).last).toMatchObject({ activation: 'none' });
    expect(spelled({}, lanes(0, new Float32Array(8).fill(0.1))).last).toMatchObject({ activation: 'none' });
    expect(spelled({ activation: 'hardSigmoid' }, lanes(0, 1 / 255)).last).toMatchObject({ activation: 'hardSigmoid' });
  });

  it('of an affine node is its bound', () => {
    const affine = { kind: 'affine', alpha: 3, beta: 0.5 } as Partial<Node>;
    expect(spelled(affine, lanes(0, 0.1)).last).toMatchObject({ kind: 'affine', low: 0 });
    expect(spelled(affine, lanes(0, 0.1)).last).not.toHaveProperty('high');
    expect(spelled(affine, lanes(0, 6 / 255)).last).toMatchObject({ low: 0, high: 6 });
    expect(spelled({ ...affine, low: -1 } as Partial<Node>, lanes(0, 0.1)).last).toMatchObject({ low: -1 });
  });

  it('gives weights their real values', () => {
    const { weights } = spelled({}, lanes(-1, 0.1));
    expect([...weights.filter].every((w) => Math.abs(w - 0.2) < 1e-6)).toBe(true);
    expect([...weights.bias].every((b) => Math.abs(b - 5 * 0.1 * 0.1) < 1e-6)).toBe(true);
  });
});

describe('pieces', () => {
  it('end where one narrow tensor holds all that the rest reads', () => {
    expect(pieces(network).map(({ input, nodes }) => `${input}: ${nodes.map(({ name }) => name).join(' ')}`)).toEqual([
      'input: stem',
      'stem: depthwise',
      'depthwise: squeeze gate gated',
      'gated: project',
      'project: expand second again',
      'again: pool swish classifier',
    ]);
  });

  it('are rounded in order, and stop when told to', async () => {
    const done: number[][] = [];
    const keepFloat = new Set(['project']);
    const rounded = await roundedWeights(network, calibration.ranges, calibration.inputs, SCHEMES.best, {
      keepFloat,
      onLayer: (...counts) => done.push(counts),
    });
    expect([...rounded.keys()]).toEqual([...network.weights.keys()].filter((name) => name !== 'project'));
    expect(done).toEqual(Array.from({ length: 8 }, (_, i) => [i + 1, 8]));
    await expect(
      roundedWeights(network, calibration.ranges, calibration.inputs, SCHEMES.best, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });
});

describe('a session', () => {
  const quantized = (options: QuantizeOptions) => quantizeSession(session, images, options);

  it('becomes int8 by options', async () => {
    const [best, nearest, eight] = [
      await quantized({}),
      await quantized({ rounding: 'nearest' }),
      await quantized({ activations: 8, wide: ['stem'] }),
    ];
    const widthOf = ({ lanes }: Network, name: string) => (lanes.get(name) as Lanes).high - (lanes.get(name) as Lanes).low;
    expect([best, nearest, eight].map((each) => widthOf(each, 'expand') > 255)).toEqual([true, true, false]);
    expect(widthOf(eight, 'stem')).toBeGreaterThan(255);
    expect(await sqnrOf(best)).toBeGreaterThan(34);
    expect(nearest.weights.get('stem')).not.toEqual(best.weights.get('stem'));
    const strict = await quantized({ rounding: 'nearest', maxDrop: 0, keepFloat: ['stem'] });
    expect(isQuantized(strict.weights.get('stem') as FloatWeights)).toBe(false);
  });

  it('says how far it is', async () => {
    const seen: number[][] = [];
    await quantized({ onProgress: (...counts) => seen.push(counts as number[]) });
    expect(seen).toEqual([[1], [2], [3], [4], ...Array.from({ length: 8 }, (_, i) => [4, i + 1, 8])]);
  });

  it('says which option is wrong', async () => {
    for (const maxDrop of [-0.1, 1.1, Number.NaN])
      await expect(quantized({ maxDrop })).rejects.toThrow(`maxDrop must be a share from 0 to 1; got ${maxDrop}.`);
    await expect(quantized({ activations: 4 as 8 })).rejects.toThrow('activations must be 8 or 16; got 4.');
    await expect(quantized({ rounding: 'up' as 'output' })).rejects.toThrow("rounding must be 'output' or 'nearest'; got up.");
    await expect(quantized({ activations: 8, wide: ['stem', 'none'] })).rejects.toThrow(
      'wide names "none", which no layer of this network makes.',
    );
    await expect(quantized({ keepFloat: ['stem', 'pool'] })).rejects.toThrow(
      'keepFloat names "pool", which is no layer of this network; its layers are stem, depthwise,',
    );
    await expect(quantized({ activations: 8, rounding: 'nearest', maxDrop: 1, wide: ['input', 'stem'] })).resolves.toBeDefined();
  });
});

describe('a divergence', () => {
  it('is the noise in the variance of what was expected, and the share of equal answers', () => {
    const divergence = new Divergence();
    expect(divergence.add(Float32Array.of(1, 3, 2), Float32Array.of(1, 3, 2.5))).toEqual([1, 1]);
    expect(divergence.sqnrDb).toBeCloseTo(10 * Math.log10(2 / 0.25), 9);
    expect(divergence.add(Float32Array.of(0, 0, 4), Float32Array.of(1, 0, 0))).toEqual([2, 0]);
    expect(divergence.agreement).toBe(0.5);
    expect(divergence.sqnrDb).toBeCloseTo(10 * Math.log10((2 + 32 / 3) / (0.25 + 17)), 6);
  });

  it('takes the first of equal answers', () => {
    expect(argmax(Float32Array.of(1, 5, 5, 2))).toBe(1);
    expect(argmax(Float32Array.of(7, 5, 5, 2))).toBe(0);
  });
});
