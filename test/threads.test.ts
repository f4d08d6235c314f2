import { fuse } from '../src/graph/fusion.js';
import type { Tensor } from '../src/inputs.js';
import { loadModel, quantize } from '../src/load.js';
import { localModel } from '../src/model/local-model.js';
import platform from '../src/platform/node.js';
import { readNative } from '../src/weights/native.js';
import { readSafetensors } from '../src/weights/safetensors.js';
import { random, randomNetwork, uniform } from './random-network.js';

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

  it.each([
    0, 1, 40,
  ])('finish on the calling thread, with the right logits and no error, where a helper stops after %i instructions', async (instructions) => {
    // The pool's own worker, but for a wait in it that never ends.
    const stopping = `
      const { instantiate } = WebAssembly;
      let left = ${instructions};
      WebAssembly.instantiate = async (module, imports) => {
        const { exports } = await instantiate(module, imports);
        const execute = (...share) => {
          if (left-- === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
          exports.execute(...share);
        };
        return { exports: { ...exports, execute } };
      };`;
    const network = readNative(readSafetensors(files.int8));
    const alone = await localModel(network);
    const helped = await localModel(network, { threads: 2, startThread: (source) => platform.startThread(stopping + source) });
    expect(helped.runtimeFeatures.threads).toBe(2);
    const expected = await alone.predict(image(2));
    expect(await helped.predict(image(2))).toEqual(expected);
    expect(helped.runtimeFeatures.threads).toBe(1);
    expect(await helped.predict(image(2))).toEqual(expected);
    helped.dispose();
  });

  it("picks a number for 'auto', and refuses numbers that cannot be", async () => {
    const model = await loadModel(files.int8, { threads: 'auto' });
    expect(model.runtimeFeatures.threads).toBeGreaterThanOrEqual(1);
    model.dispose();
    await expect(loadModel(files.int8, { threads: 0 })).rejects.toThrow(/threads must be 'auto' or a whole number/);
    await expect(loadModel(files.int8, { threads: 1.5 })).rejects.toMatchObject({ code: 'ERR_INPUT' });
  });
});
