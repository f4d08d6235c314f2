import { fuse } from '../../src/graph/fusion.js';
import type { Lanes } from '../../src/graph/lanes.js';
import type { FloatWeights } from '../../src/graph/network.js';
import type { Tensor } from '../../src/inputs.js';
import { loadModel, quantize } from '../../src/load.js';
import { localModel, sessionOf } from '../../src/model/local-model.js';
import type { Model } from '../../src/model/model.js';
import { calibrate } from '../../src/quantization/calibrate.js';
import { Divergence } from '../../src/quantization/divergence.js';
import { SCHEMES } from '../../src/quantization/schemes.js';
import { sensitivities } from '../../src/quantization/sensitivity.js';
import { random, randomNetwork, uniform } from '../random-network.js';

const image = (seed: number): Tensor => ({ data: uniform(random(seed), 32 * 32 * 3, -2, 2), shape: [1, 32, 32, 3] });
const network = fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.25 }));
const calibration = [image(1), image(2), image(3)];

async function divergence(reference: Model, candidate: Model): Promise<Divergence> {
  const result = new Divergence();
  for (let seed = 10; seed < 16; seed++) result.add(await reference.predict(image(seed)), await candidate.predict(image(seed)));
  return result;
}

describe('quantization', () => {
  let float: Model;
  beforeAll(async () => {
    float = await localModel(network);
  });

  it('gives the same bytes for the same images', async () => {
    const [a, b] = [await quantize(float, calibration), await quantize(float, calibration)];
    expect(Buffer.compare(a.save(), b.save())).toBe(0);
  });

  it.each([8, 16] as const)('gives files of activations of %i bits that run as they did', async (activations) => {
    const model = await quantize(float, calibration, { activations });
    const loaded = await loadModel(model.save());
    expect(await loaded.predict(image(10))).toEqual(await model.predict(image(10)));
    // The float network behind it is near the one that it was made of.
    const behind = await loadModel(model.save(), { precision: 'float32' });
    expect((await divergence(float, behind)).sqnrDb).toBeGreaterThan(15);
  });

  it('says how far it is, and stops when it is told to', async () => {
    const seen: (readonly number[])[] = [];
    const abort = new AbortController();
    const onProgress = (...numbers: (number | undefined)[]) => {
      seen.push(numbers as number[]);
      if (numbers[1] === 3) abort.abort();
    };
    await expect(quantize(float, calibration, { onProgress, signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    const of = network.weights.size;
    expect(seen).toEqual([[1], [2], [3], [3, 1, of], [3, 2, of], [3, 3, of]]);
  });

  it('clamps at 6 in every channel behind a ReLU6', async () => {
    // Filters whose rows differ in size, which factors of the channels would even out.
    const v2 = fuse(randomNetwork('mobilenet_v2', { classes: 31, width: 0.25 }));
    for (const { name } of v2.graph.nodes.filter((node) => node.name.endsWith('project'))) {
      const { filter, bias } = v2.weights.get(name) as FloatWeights;
      filter.forEach((w, i) => {
        filter[i] = w * 4 ** -(Math.floor(i / bias.length) % 3);
      });
    }
    const relu6 = await localModel(v2);
    const int8 = await quantize(relu6, calibration);
    const { graph, lanes } = sessionOf(int8).network;
    for (const node of graph.nodes) {
      if (!('activation' in node) || node.activation !== 'relu6') continue;
      const { scale } = lanes.get(node.name) as Lanes;
      const ends = typeof scale === 'number' ? [6 / scale] : Array.from(scale, (step) => Math.round(6 / step));
      expect([node.name, new Set(ends).size]).toEqual([node.name, 1]);
    }
    const nearest = await quantize(relu6, calibration, { rounding: 'nearest' });
    expect((await divergence(relu6, int8)).sqnrDb).toBeGreaterThan((await divergence(relu6, nearest)).sqnrDb);
  });

  it('keeps layers in float32 by name', async () => {
    const mixed = await quantize(float, calibration, { keepFloat: ['stem', 'blocks.3.project'] });
    expect(mixed.floatLayers).toEqual(['stem', 'blocks.3.project']);
    expect((await divergence(float, mixed)).sqnrDb).toBeGreaterThan(15);
  });

  it('keeps the first convolution in float32 behind an affine of the image, which is in lanes', async () => {
    const affine = { kind: 'affine', name: 'scaled', inputs: ['input'], alpha: 2, beta: -1, low: -1.5 } as const;
    const nodes = network.graph.nodes.map((node) => (node.inputs[0] === 'input' ? { ...node, inputs: ['scaled'] } : node));
    const scaled = await localModel({ ...network, graph: { ...network.graph, nodes: [affine, ...nodes] } });
    const mixed = await quantize(scaled, calibration, { keepFloat: ['stem'] });
    expect((await divergence(scaled, mixed)).sqnrDb).toBeGreaterThan(15);
  });

  it('keeps nothing in float32 that a budget does not ask for, and all for a budget of nothing but perfection', async () => {
    expect((await quantize(float, calibration, { maxDrop: 1 })).floatLayers).toEqual([]);
    const strict = await quantize(float, calibration, { maxDrop: 0 });
    for (const input of calibration) {
      const answers = new Divergence().add(await float.predict(input), await strict.predict(input));
      expect(answers[0]).toBe(answers[1]);
    }
  });

  it('names the layers that harm most first', async () => {
    const { ranges } = await calibrate(sessionOf(float), calibration, { histograms: true });
    const probe = { data: image(4).data, height: 32, width: 32 };
    const order = await sensitivities(network, ranges, [probe], { scheme: SCHEMES.perTensor });
    expect(order).toHaveLength(network.weights.size);
    expect(order[0]?.sqnrDb).toBeLessThan(order.at(-1)?.sqnrDb as number);
  });

  it('refuses what cannot be', async () => {
    await expect(quantize(float, [])).rejects.toMatchObject({ code: 'ERR_QUANTIZATION' });
    await expect(quantize(float, calibration, { keepFloat: ['nothing'] })).rejects.toThrow(/keepFloat names "nothing", which is no layer/);
    await expect(quantize(float, calibration, { activations: 4 as 8 })).rejects.toThrow(/activations must be 8 or 16/);
    await expect(quantize(float, calibration, { activations: 8, wide: ['nothing'] })).rejects.toThrow(/wide names "nothing"/);
    await expect(quantize(float, calibration, { maxDrop: 2 })).rejects.toThrow(/share from 0 to 1/);
    const infinite: Tensor = { data: new Float32Array(32 * 32 * 3).fill(Number.POSITIVE_INFINITY), shape: [1, 32, 32, 3] };
    await expect(quantize(float, [infinite])).rejects.toThrow(/calibration input holds NaN or infinity/);
  });
});
