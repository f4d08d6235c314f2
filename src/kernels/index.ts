import type { Compiled } from '../engine/compiled.js';
import { Engine } from '../engine/engine.js';
import type { Simd } from '../engine/variants.js';
import type { Kernels as Ways } from '../runtime/way.js';
import { KernelSet } from './kernel-set.js';

export type { Tensor } from '../inputs.js';
export type { ConvOptions, DenseLayer, QDenseLayer, QFilter, QTensor, QuantParams } from './types.js';

/**
 * Kernels on their own. Tensors are NHWC; every call returns a new one. Wrong shapes throw ShapeError, wrong scales and
 * zero points QuantizationError; afterwards the kernels can still be used.
 */
export type Kernels = InstanceType<typeof KernelSet>;

/** Loads the kernels; 'auto' takes relaxed SIMD where the engine has it. */
export async function loadKernels(options: { simd?: Simd; kernels?: Ways; compiled?: Compiled } = {}): Promise<Kernels> {
  const { kernels = 'auto', compiled } = options;
  const { simd } = compiled ? (await import('../engine/compiled.js')).adoptCompiled(compiled, options.simd) : options;
  return new KernelSet(await Engine.create(simd), kernels);
}
