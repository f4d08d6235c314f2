import type { Engine } from '../engine/engine.js';
import { Kernel } from '../engine/kernel.js';
import type { Call, Operand } from './arithmetic.js';
import { lanesOf, perChannel, periodOf, stepOf } from './constants.js';
import { elements, rows } from './elementwise.js';

/** Brings a tensor from float32 into lanes, or from lanes into float32. */
export function convert(engine: Engine, input: Operand, output: Operand): Call {
  if (!output.lanes) {
    const scale = perChannel(engine, input, [lanesOf(input)], (c) => stepOf(input, c));
    return { kind: 'dequantize', instruction: () => ({ ...elements(Kernel.lanes_dequantize, input, output), scale }) };
  }
  const { lanes } = output;
  const scale = perChannel(engine, output, [lanes], (c) => 1 / stepOf(output, c));
  const words = { scale, period: periodOf(output), low: lanes.low, high: lanes.high, highLane: lanes.high };
  return { kind: 'quantize', instruction: () => ({ ...rows(Kernel.lanes_quantize, input, output), ...words }) };
}
