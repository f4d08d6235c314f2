import type { ArchitectureName } from '../../src/architecture/tables.js';
import { Engine } from '../../src/engine/engine.js';
import type { Exports } from '../../src/engine/exports.js';
import { machineOf } from '../../src/engine/machine.js';
import { UnsupportedModelError } from '../../src/errors.js';
import { fuse } from '../../src/graph/fusion.js';
import type { Tensor } from '../../src/inputs.js';
import { loadModel, quantize } from '../../src/load.js';
import { localModel } from '../../src/model/local-model.js';
import { random, randomNetwork, uniform } from '../random-network.js';

const image = (seed: number, side: number): Tensor => ({ data: uniform(random(seed), side * side * 3, -2, 2), shape: [1, side, side, 3] });

/** An engine whose relaxed dot product is `dot`: what the probe sees of machines that are not at hand. */
async function engineWith(dot: (a: number, b: number) => number, combine: (products: number[]) => number): Promise<Engine> {
  const engine = await Engine.create('baseline');
  const exports: Exports = {
    ...engine.exports,
    dot_bytes: (a, b, target) => {
      const [x, y] = [new Int8Array(engine.memory.buffer, a, 16), new Int8Array(engine.memory.buffer, b, 16)];
      const sums = engine.ints(target, 4);
      for (let i = 0; i < 4; i++) sums[i] = combine([0, 1, 2, 3].map((j) => dot(x[i * 4 + j] as number, y[i * 4 + j] as number)));
    },
  };
  return Object.assign(Object.create(engine), { exports, module: {} }) as Engine;
}

const exact = (products: number[]) => products.reduce((a, b) => a + b, 0);
const inPairs = (end: (sum: number) => number) => (products: number[]) =>
  exact([0, 2].map((i) => end((products[i] as number) + (products[i + 1] as number))));
const wrapped = (sum: number) => (sum << 16) >> 16;
const saturated = (sum: number) => Math.max(-32768, Math.min(32767, sum));
const signed = (a: number, b: number) => a * b;
const unsigned = (a: number, b: number) => a * (b & 255);

describe('the machine', () => {
  it.each([
    ['signed where sums are exact, as SDOT has them', signed, exact, 'signed'],
    ['signed where pairs wrap, which no filter in use reaches', signed, inPairs(wrapped), 'signed'],
    ['unsigned where sums are exact, as VPDPBUSD has them', unsigned, exact, 'unsigned'],
    ['unusable where pairs saturate, as PMADDUBSW has them', unsigned, inPairs(saturated), undefined],
    ['unusable where it is wrong', signed, (products: number[]) => exact(products) + 1, undefined],
    ['unusable where there is none', signed, () => 0x55555555, undefined],
  ] as const)('has a dot product that is %s', async (_, dot, combine, expected) => {
    expect(machineOf(await engineWith(dot, combine)).dot).toBe(expected);
  });
});

describe('ways to compute int8', () => {
  let files: Record<'v3' | 'v2' | 'mnasnet', Uint8Array>;
  beforeAll(async () => {
    const saved = async (architecture: ArchitectureName) => {
      const float = await localModel(fuse(randomNetwork(architecture, { classes: 31, width: 0.75 })));
      return (await quantize(float, [image(1, 96)], { rounding: 'nearest' })).save();
    };
    files = { v3: await saved('mobilenet_v3_small'), v2: await saved('mobilenet_v2'), mnasnet: await saved('mnasnet_a1') };
  });

  it.each(['v3', 'v2', 'mnasnet'] as const)('give bit-identical logits (%s), on any number of threads', async (network) => {
    const [pairs, products] = [
      await loadModel(files[network], { kernels: 'pairs' }),
      await loadModel(files[network], { kernels: 'products', threads: 2 }),
    ];
    expect(pairs.runtimeFeatures.kernels).toBe('pairs');
    expect(products.runtimeFeatures.kernels).toBe('products');
    for (const side of [96, 65, 33]) expect(await products.predict(image(3, side))).toEqual(await pairs.predict(image(3, side)));
    products.dispose();
  });

  it('say what an engine lacks, and which ways it has', async () => {
    await expect(loadModel(files.v3, { simd: 'baseline', kernels: 'planes' })).rejects.toThrow(UnsupportedModelError);
    await expect(loadModel(files.v3, { simd: 'baseline', kernels: 'planes' })).rejects.toThrow(/it has pairs and products/);
    await expect(loadModel(files.v3, { kernels: 'fast' as 'pairs' })).rejects.toThrow(
      /kernels must be one of auto, pairs, products, planes; got fast/,
    );
  });
});
