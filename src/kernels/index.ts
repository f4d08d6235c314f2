import type { Compiled } from '../engine/compiled.js';
import { Engine } from '../engine/engine.js';
import type { Simd } from '../engine/variants.js';
import type { Kernels as Ways } from '../runtime/way.js';
import { KernelSet } from './kernel-set.js';

export type { Activation, Padding } from '../graph/graph.js';
export type { Tensor } from '../inputs.js';
export type { KernelSet as Kernels } from './kernel-set.js';
export type { ConvOptions, DenseLayer, QDenseLayer, QFilter, QTensor, QuantParams } from './types.js';
/**
 * Loads the kernels; 'auto' takes relaxed SIMD where the engine has it.
 *
 * @param options.kernels how int8 is computed; all ways give the same bits
 * @param options.compiled modules that you compiled, where a runtime forbids it
 * @throws UnsupportedModelError where the engine lacks what is asked for
 * @example
 * const kernels = await loadKernels();
 * const y = kernels.hardSwish({ data: new Float32Array([-4, -1, 0, 2]), shape: [1, 1, 1, 4] });
 */
export async function loadKernels(options: { simd?: Simd; kernels?: Ways; compiled?: Compiled } = {}): Promise<KernelSet> {
  const { kernels = 'auto', compiled } = options;
  const { simd } = compiled ? (await import('../engine/compiled.js')).adoptCompiled(compiled, options.simd) : options;
  return new KernelSet(await Engine.create(simd), kernels);
}
