import { Kernel } from '../../engine/kernel.js';
import type { Activation, Curve } from '../../graph/graph.js';
import type { FloatWeights } from '../../graph/network.js';
import type { Arithmetic, Call, Operand, OtherNode } from '../arithmetic.js';
import { affineOf, clampOf, elements, isOnePixel, rows, second } from '../elementwise.js';
import { packFloat } from './pack.js';

const float32By = (isWide: boolean): Arithmetic => ({
  name: 'float32',
  elementBytes: 4,
  packConv: (engine, node, weights, source) => packFloat(isWide, engine, node, weights as FloatWeights, source),
  call: (_, node, inputs, output) => callOf(node, inputs, output),
});

/** With tiles for the sixteen registers of x86. */
export const FLOAT32 = float32By(false);
/** With tiles for the thirty-two of arm64. */
export const FLOAT32_WIDE = float32By(true);

/** Activations that are no clamp of a line. */
const CURVES: Readonly<Partial<Record<Activation | Curve, Kernel>>> = {
  hardSwish: Kernel.f32_hard_swish,
  sigmoid: Kernel.f32_sigmoid,
  swish: Kernel.f32_swish,
};

function callOf(node: OtherNode, [input, other]: readonly Operand[], output: Operand): Call {
  const x = input as Operand;
  const y = other as Operand;
  const { kind } = node;
  switch (kind) {
    case 'globalAveragePool': {
      const words = { units: output.stored / 8, inputHeight: x.shape[0], inputWidth: x.shape[1], factor: 1 / (x.shape[0] * x.shape[1]) };
      return { kind, instruction: () => ({ ...rows(Kernel.f32_global_average_pool, x, output), ...words }) };
    }
    case 'multiply': {
      const code = isOnePixel(y) ? Kernel.f32_gate : Kernel.f32_multiply;
      return { kind, instruction: () => ({ ...rows(code, x, output), ...second(y) }) };
    }
    case 'add': {
      const [low, high] = clampOf(node.name, node.activation);
      const code = isOnePixel(y) ? Kernel.f32_add_channels : Kernel.f32_add;
      return { kind, instruction: () => ({ ...rows(code, x, output), ...second(y), low, high }) };
    }
    default: {
      const code = node.kind === 'activation' ? CURVES[node.activation] : undefined;
      if (code !== undefined) return { kind, instruction: () => elements(code, x, output) };
      const affine = affineOf(node);
      return { kind, instruction: () => ({ ...elements(Kernel.f32_affine, x, output), ...affine }) };
    }
  }
}
