import type { FloatWeights, Network } from '../../src/graph/network.js';
import { calibrate } from '../../src/quantization/calibrate.js';
import { Divergence } from '../../src/quantization/divergence.js';
import type { Calibration } from '../../src/quantization/observe.js';
import { quantizeNetwork } from '../../src/quantization/quantize.js';
import { SCHEMES, type Scheme } from '../../src/quantization/schemes.js';
import { layersToKeep, sensitivities } from '../../src/quantization/sensitivity.js';
import { Session } from '../../src/runtime/session.js';
import { picture, smallNetwork } from '../small-network.js';

// Which layers harm when they are quantized.

const scheme = SCHEMES.perTensor;
/** Relaxed SIMD rounds otherwise, and answers hang on a hair here. */
const runtime = { simd: 'baseline' } as const;
const network = smallNetwork();
const names = [...network.weights.keys()];
const { logits: _, ...features } = network.graph.outputs;
const backbone: Network = { ...network, graph: { ...network.graph, outputs: features } };

async function calibrated(given: Network, count: number): Promise<Calibration> {
  const session = await Session.create(given, runtime);
  const seen = await calibrate(
    session,
    Array.from({ length: count }, (_, seed) => picture(seed)),
    { histograms: true },
  );
  session.dispose();
  return seen;
}

/** What a network gives for the images that it was calibrated with. */
async function outputsOf(given: Network, { inputs }: Calibration): Promise<Float32Array[]> {
  const session = await Session.create(given, runtime);
  const all = inputs.map(({ data, height, width }) => {
    const { results } = session.infer(() => session.put({ data, shape: [1, height, width, 3] }));
    return session.output(results.logits ?? results.embedding).slice();
  });
  session.dispose();
  return all;
}

async function divergenceOf(float: Network, seen: Calibration, keepFloat: ReadonlySet<string>): Promise<Divergence> {
  const result = new Divergence();
  const actual = await outputsOf(quantizeNetwork(float, seen.ranges, { scheme, keepFloat }), seen);
  (await outputsOf(float, seen)).forEach((expected, i) => {
    result.add(expected, actual[i] as Float32Array);
  });
  return result;
}

/** Classes that are as likely as each other: a logit's mean is 0, and little noise turns an answer over. */
const undecided = smallNetwork();
beforeAll(async () => {
  const { filter, bias } = undecided.weights.get('classifier') as FloatWeights;
  const logits = await outputsOf(undecided, await calibrated(undecided, 32));
  const mean = (c: number) => logits.reduce((sum, values) => sum + (values[c] as number), 0) / logits.length;
  (undecided.weights as Map<string, FloatWeights>).set('classifier', { filter, bias: bias.map((b, c) => b - mean(c)) });
});

it.each([
  ['by logits', network],
  ['by features, where there are no logits', backbone],
  ['by answers that change', undecided],
] as const)('tells them one by one, the most harmful first, %s', async (_, float) => {
  const seen = await calibrated(float, 4);
  const done: number[][] = [];
  const order = await sensitivities(float, seen.ranges, seen.inputs, { scheme, runtime, onProgress: (...counts) => done.push(counts) });
  expect(done).toEqual(names.map((_, i) => [i + 1, names.length]));
  expect(order.map(({ sqnrDb }) => sqnrDb)).toEqual(order.map(({ sqnrDb }) => sqnrDb).sort((a, b) => a - b));
  expect(order.map(({ name }) => name).sort()).toEqual([...names].sort());
  for (const { name, sqnrDb, agreement } of order) {
    const alone = await divergenceOf(float, seen, new Set(names.filter((other) => other !== name)));
    expect([sqnrDb, agreement]).toEqual([alone.sqnrDb, alone.agreement]);
  }
});

describe('layers that stay in float32', () => {
  const keep = async (float: Network, seen: Calibration, maxDrop: number, keepFloat?: ReadonlySet<string>, by: Scheme = scheme) => [
    ...(await layersToKeep(float, seen.ranges, seen.inputs, maxDrop, { scheme: by, runtime, ...(keepFloat ? { keepFloat } : {}) })),
  ];

  it('are none where answers may change, those that were named, or all where it is never enough', async () => {
    const seen = await calibrated(network, 4);
    expect(await keep(network, seen, 1)).toEqual([]);
    expect(await keep(network, seen, 1, new Set(['stem']))).toEqual(['stem']);
    // No drop is below nothing.
    expect((await keep(network, seen, -1)).sort()).toEqual([...names].sort());
  });

  it('are the most harmful: one, two more, four more, until few enough answers change', async () => {
    const kept = new Set<number>();
    for (const count of [32, 64]) {
      const seen = await calibrated(undecided, count);
      const order = (await sensitivities(undecided, seen.ranges, seen.inputs, { scheme, runtime })).map(({ name }) => name);
      const steps = [0, 1, 3, 7, 8].map((count) => order.slice(0, count));
      const drops: number[] = [];
      for (const step of steps) drops.push(1 - (await divergenceOf(undecided, seen, new Set(step))).agreement);
      for (const maxDrop of drops) {
        const enough = steps[drops.findIndex((drop) => drop <= maxDrop)] as string[];
        kept.add(enough.length);
        expect(await keep(undecided, seen, maxDrop)).toEqual(enough);
      }
      // What was named counts, and is not named twice.
      const named = order.slice(-1);
      const all = await keep(undecided, seen, -1, new Set(named));
      expect(all).toEqual([...named, ...order.slice(0, -1)]);
    }
    expect([...kept].sort()).toEqual([0, 1, 7]);
  });
});
