import type { Engine } from '../../engine/engine.js';
import { Kernel } from '../../engine/kernel.js';
import { QuantizationError, UnsupportedModelError } from '../../errors.js';
import { isCurve } from '../../graph/graph.js';
import { GATE_LANES, type Lanes } from '../../graph/lanes.js';
import type { Call, Operand, OtherNode } from '../arithmetic.js';
import { lanesOf, perChannel, stepOf } from '../constants.js';
import { affineOf, clampOf, elements, isOnePixel, rows, second } from '../elementwise.js';

/** The kernel for a node that is no convolution: the same whatever way convolutions are computed in. */
export function nodeCall(engine: Engine, node: OtherNode, [input, other]: readonly Operand[], output: Operand): Call {
  const x = input as Operand;
  const y = other as Operand;
  const { kind, name } = node;
  const out = lanesOf(output);
  const range = { low: out.low, high: out.high, highLane: out.high };
  const [xLanes, yLanes] = [lanesOf(x), y && lanesOf(y)];
  /** In how many steps of the output a value of one of its operands goes. */
  const ratio = (operand: Operand) => perChannel(engine, output, [lanesOf(operand), out], (c) => stepOf(operand, c) / stepOf(output, c));
  const outputStep = (): number => {
    if (typeof out.scale === 'number') return out.scale;
    throw new QuantizationError(`${name}: an offset or a clamp needs one scale for the whole output; it has one a channel.`);
  };
  const within = (low: number, most: number) => {
    const high = Math.min(out.high, most);
    return { low, high, highLane: high };
  };
  switch (kind) {
    case 'globalAveragePool': {
      const pixels = x.shape[0] * x.shape[1];
      const scale = perChannel(engine, output, [xLanes, out], (c) => stepOf(x, c) / stepOf(output, c) / pixels);
      const words = { units: output.stored / 8, inputHeight: x.shape[0], inputWidth: x.shape[1], scale, ...range };
      return { kind, instruction: () => ({ ...rows(Kernel.lanes_global_average_pool, x, output), ...words }) };
    }
    case 'multiply': {
      const perPixel = !isOnePixel(y);
      const same = sameScale(out.scale, xLanes.scale);
      if (!perPixel && same && yLanes.scale === GATE_LANES.scale) {
        return { kind, instruction: () => ({ ...rows(Kernel.lanes_gate, x, output), ...second(y) }) };
      }
      const scale = perChannel(engine, output, [xLanes, yLanes, out], (c) => (stepOf(x, c) * stepOf(y, c)) / stepOf(output, c));
      const code = perPixel ? Kernel.lanes_multiply : Kernel.lanes_multiply_channels;
      return { kind, instruction: () => ({ ...rows(code, x, output), ...second(y), scale, ...range }) };
    }
    case 'add': {
      if (isOnePixel(y) && !isOnePixel(x)) {
        throw new UnsupportedModelError(`${name}: a quantized sum of an image and one pixel is not supported.`);
      }
      const [floor, ceiling] = clampOf(name, node.activation);
      const bounds = floor === Number.NEGATIVE_INFINITY ? range : within(Math.max(out.low, 0), Math.round(ceiling / outputStep()));
      const words = { scale: ratio(x), otherScale: ratio(y), ...bounds };
      return { kind, instruction: () => ({ ...rows(Kernel.lanes_add, x, output), ...second(y), ...words }) };
    }
    default: {
      if (node.kind === 'activation' && node.activation === 'hardSwish') {
        const scale = ratio(x);
        const gateScale = perChannel(engine, output, [xLanes, out], (c) => stepOf(x, c) ** 2 / 6 / stepOf(output, c));
        return { kind, instruction: () => ({ ...elements(Kernel.lanes_hard_swish, x, output), scale, gateScale, ...range }) };
      }
      if (node.kind === 'activation' && isCurve(node.activation)) {
        const swish = node.activation === 'swish';
        const scale = perChannel(engine, output, [xLanes, out], (c) => stepOf(x, c));
        const gateScale = perChannel(engine, output, [xLanes, out], (c) => (swish ? stepOf(x, c) : 1) / stepOf(output, c));
        const code = swish ? Kernel.lanes_swish : Kernel.lanes_sigmoid;
        return { kind, instruction: () => ({ ...elements(code, x, output), scale, gateScale, ...range }) };
      }
      const affine = affineOf(node);
      const scale = perChannel(engine, output, [xLanes, out], (c) => (affine.factor * stepOf(x, c)) / stepOf(output, c));
      const words = {
        scale,
        offset: affine.offset === 0 ? 0 : affine.offset / outputStep(),
        ...within(
          affine.low === Number.NEGATIVE_INFINITY ? out.low : Math.max(out.low, Math.round(affine.low / outputStep())),
          affine.high === Number.POSITIVE_INFINITY ? out.high : Math.round(affine.high / outputStep()),
        ),
      };
      return { kind, instruction: () => ({ ...elements(Kernel.lanes_affine, x, output), ...words }) };
    }
  }
}

const sameScale = (a: Lanes['scale'], b: Lanes['scale']): boolean =>
  typeof a === 'number' || typeof b === 'number' ? a === b : a.every((scale, c) => scale === b[c]);
