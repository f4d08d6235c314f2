import { jest } from '@jest/globals';
import type { StartThread } from '../src/engine/threads/pool.js';
import { fuse } from '../src/graph/fusion.js';
import type { Node } from '../src/graph/graph.js';
import type { Network } from '../src/graph/network.js';
import type { Tensor } from '../src/inputs.js';
import { loadModel, quantize } from '../src/load.js';
import { localModel, sessionOf } from '../src/model/local-model.js';
import platform from '../src/platform/node.js';
import { random, randomNetwork, uniform } from './random-network.js';

/**
 * The pool's own worker, but for a wait in front of one of its instructions.
 *
 * @param milliseconds how long; for ever where it is left out
 */
const stopping =
  (instructions: number, milliseconds?: number): StartThread =>
  (source) =>
    platform.startThread(`
      const { instantiate } = WebAssembly;
      let left = ${instructions};
      WebAssembly.instantiate = async (module, imports) => {
        const { exports } = await instantiate(module, imports);
        const execute = (...share) => {
          if (left-- === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${milliseconds});
          exports.execute(...share);
        };
        return { exports: { ...exports, execute } };
      };${source}`);

/** Two blocks of a MobileNetV3: a residual, squeeze and excite, h-swish. */
function smallNetwork(): Network {
  const { graph, ...whole } = randomNetwork('mobilenet_v3_small', { classes: 5, width: 0.25, resolution: 32 });
  const last = graph.nodes.findIndex(({ name }) => name.startsWith('blocks.3.'));
  const kept = graph.nodes.slice(0, last);
  const from = (kept.at(-1) as Node).name;
  const nodes: Node[] = [...kept, { kind: 'globalAveragePool', name: 'pool', inputs: [from] }];
  return fuse({ ...whole, graph: { ...graph, architecture: 'custom', classes: 0, nodes, outputs: { embedding: 'pool' } } });
}

const image = (seed: number, side = 96): Tensor => ({ data: uniform(random(seed), side * side * 3, -2, 2), shape: [1, side, side, 3] });

describe('threads', () => {
  let files: Record<'float32' | 'int8', Uint8Array>;
  beforeAll(async () => {
    const float = await localModel(fuse(randomNetwork('mobilenet_v3_small', { classes: 31, width: 0.75 })));
    files = { float32: float.save(), int8: (await quantize(float, [image(1)], { rounding: 'nearest' })).save() };
  });

  it.each([
    ['float32', 2],
    ['float32', 4],
    ['int8', 2],
    ['int8', 3],
    ['int8', 4],
  ] as const)('give %s logits bit-identical to one thread, on %i', async (precision, threads) => {
    const [one, many] = [await loadModel(files[precision]), await loadModel(files[precision], { threads })];
    expect(many.runtimeFeatures.threads).toBe(threads);
    for (const [seed, side] of [
      [2, 96],
      [3, 33],
      [4, 64],
    ] as const) {
      expect(await many.predict(image(seed, side))).toEqual(await one.predict(image(seed, side)));
    }
    many.dispose();
  });

  // Each stop costs the patience of the pool, so the network is small: every kind of layer, few of each.
  describe('that stop', () => {
    const network = smallNetwork();
    let quantized: Network;
    let expected: Float32Array;
    beforeAll(async () => {
      const float = await localModel(network);
      const int8 = await quantize(float, [image(1, 32)], { rounding: 'nearest' });
      quantized = sessionOf(int8).network;
      expected = await int8.embed(image(2, 32));
    });

    it('cost no inference and change no logit, at whichever barrier they stop', async () => {
      // The pool's patience, two seconds for each barrier, on a clock that runs ten times as fast.
      const { now } = performance;
      const clock = jest.spyOn(performance, 'now').mockImplementation(() => 10 * now.call(performance));
      const whole = await localModel(quantized);
      const barriers = sessionOf(whole).plan(32, 32).instructions;
      expect(barriers).toBeGreaterThan(6);
      for (let barrier = 0; barrier < barriers; barrier++) {
        const helped = await localModel(quantized, { threads: 2, startThread: stopping(barrier) });
        expect(helped.runtimeFeatures.threads).toBe(2);
        expect([barrier, await helped.embed(image(2, 32))]).toEqual([barrier, expected]);
        expect([barrier, helped.runtimeFeatures.threads]).toEqual([barrier, 1]);
        expect(await helped.embed(image(2, 32))).toEqual(expected);
        helped.dispose();
      }
      clock.mockRestore();
    });

    it('do no harm when they come back, long after an inference went on without them', async () => {
      const helped = await localModel(quantized, { threads: 3, startThread: stopping(2, 3000) });
      for (let start = Date.now(), i = 0; i < 3 || Date.now() < start + 5000; i++) {
        expect(await helped.embed(image(2, 32))).toEqual(expected);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      helped.dispose();
    });

    it('cost no profile either', async () => {
      const helped = await localModel(quantized, { threads: 2, startThread: stopping(3) });
      const names = (await helped.profile(image(2, 32))).map(({ name }) => name);
      expect(names).toEqual((await (await localModel(quantized)).profile(image(2, 32))).map(({ name }) => name));
      helped.dispose();
    });
  });

  it("picks a number for 'auto', and refuses numbers that cannot be", async () => {
    const model = await loadModel(files.int8, { threads: 'auto' });
    expect(model.runtimeFeatures.threads).toBeGreaterThanOrEqual(1);
    model.dispose();
    await expect(loadModel(files.int8, { threads: 0 })).rejects.toThrow(/threads must be 'auto' or a whole number/);
    await expect(loadModel(files.int8, { threads: 1.5 })).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});
