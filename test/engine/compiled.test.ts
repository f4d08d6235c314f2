import { readFileSync } from 'node:fs';
import { detectFeatures } from '../../src/engine/features.js';
import { loadKernels } from '../../src/kernels/index.js';
import { loadModel } from '../../src/load.js';
import { writeNative } from '../../src/weights/native.js';
import { randomNetwork } from '../random-network.js';

const bytesOf = (variant: string) => new Uint8Array(readFileSync(`build/${variant}.wasm`));
const weights = writeNative(randomNetwork('mobilenet_v3_small', { classes: 7, width: 0.35, resolution: 64 }));
const input = { data: Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)), shape: [1, 64, 64, 3] as const };

/** As Cloudflare's runtime does. */
function forbidCompiling(): () => void {
  const { compile, Module, instantiate } = WebAssembly;
  const refuse = async () => {
    throw new Error('Wasm code generation disallowed by embedder');
  };
  class NoModule {
    static customSections = Module.customSections;
    constructor() {
      throw new Error('Wasm code generation disallowed by embedder');
    }
    static [Symbol.hasInstance](value: unknown) {
      return value instanceof Module;
    }
  }
  const only = (given: object, imports: object) => (given instanceof Module ? instantiate(given as never, imports as never) : refuse());
  Object.assign(WebAssembly, { compile: refuse, Module: NoModule, instantiate: only });
  return () => Object.assign(WebAssembly, { compile, Module, instantiate });
}

describe('compiled', () => {
  let logits: Float32Array;

  it('runs where nothing may be compiled', async () => {
    const baseline = await WebAssembly.compile(bytesOf('baseline'));
    const allow = forbidCompiling();
    try {
      await expect(loadModel(weights)).rejects.toThrow(/disallowed/);
      const model = await loadModel(weights, { compiled: baseline, threads: 4 });
      expect(model.runtimeFeatures).toMatchObject({ simd: 'baseline', threads: 1 });
      logits = await model.predict(input);
      expect(logits.every(Number.isFinite)).toBe(true);
    } finally {
      allow();
    }
  });

  it('takes what suits this engine, whatever it is called', async () => {
    const modules = {
      a: await WebAssembly.compile(bytesOf('baseline')),
      ...(detectFeatures().relaxedSimd ? { b: await WebAssembly.compile(bytesOf('relaxed')) } : {}),
    };
    const model = await loadModel(weights, { compiled: modules });
    expect(model.runtimeFeatures.simd).toBe(detectFeatures().relaxedSimd ? 'relaxed' : 'baseline');
    const baseline = await loadModel(weights, { compiled: modules, simd: 'baseline' });
    expect(baseline.runtimeFeatures.simd).toBe('baseline');
    expect(await baseline.predict(input)).toEqual(logits);
    const kernels = await loadKernels({ compiled: modules });
    expect([...kernels.relu({ data: Float32Array.of(-1, 2), shape: [1, 1, 1, 2] }).data]).toEqual([0, 2]);
  });

  it('refuses other modules, and those of another release', async () => {
    const other = await WebAssembly.compile(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]));
    await expect(loadModel(weights, { compiled: other })).rejects.toThrow(
      /must be a WebAssembly.Module of the package mobilenet-v3-wasm-standalone/,
    );
    await expect(loadModel(weights, { compiled: { relaxed: bytesOf('relaxed') as never } })).rejects.toThrow(/got something else/);
    await expect(loadModel(weights, { compiled: {} })).rejects.toThrow(/holds no WebAssembly.Module/);
    const bytes = bytesOf('baseline');
    // The section that names the release ends the binary.
    bytes[bytes.length - 1] = (bytes.at(-1) as number) === 48 ? 49 : 48;
    await expect(loadModel(weights, { compiled: await WebAssembly.compile(bytes) })).rejects.toThrow(/of another release/);
    const baseline = await WebAssembly.compile(bytesOf('baseline'));
    await expect(loadModel(weights, { compiled: { baseline }, simd: 'relaxed' })).rejects.toThrow(/lacks relaxed.wasm/);
  });
});
