import { padChannels } from '../../src/compute/convolution.js';
import type { Arithmetics } from '../../src/compute/ways.js';
import { Engine } from '../../src/engine/engine.js';
import { INSTRUCTION_BYTES } from '../../src/engine/instruction.js';
import { Kernel } from '../../src/engine/kernel.js';
import { INPUT, type Node, type Shape } from '../../src/graph/graph.js';
import { type Lanes, scaleOf } from '../../src/graph/lanes.js';
import type { Weights } from '../../src/graph/network.js';
import { PackedNetwork } from '../../src/runtime/packed-network.js';
import { layOut, type Step } from '../../src/runtime/plan.js';
import type { Values } from '../graph/interpret.js';

export interface Computed {
  /** Real values of the last node's tensor. */
  readonly values: Values;
  /** Its integers, where it has lanes. */
  readonly integers: number[];
  readonly kernels: string[];
  readonly steps: readonly Step[];
}

let engine: Engine | undefined;
export async function baseline(): Promise<Engine> {
  engine ??= await Engine.create('baseline');
  return engine;
}

/**
 * Some nodes on an engine, by themselves. Inputs are real values; those of tensors with lanes are brought into them.
 *
 * @param onePixel inputs that are one pixel at every size of the image
 */
export function compute(
  engine: Engine,
  arithmetics: Arithmetics,
  nodes: readonly Node[],
  weights: ReadonlyMap<string, Weights>,
  inputs: Readonly<Record<string, Values>>,
  lanes: ReadonlyMap<string, Lanes> = new Map(),
  onePixel: readonly string[] = [],
): Computed {
  const mark = engine.mark();
  try {
    const packed = new PackedNetwork(engine, { graph: { nodes }, weights, lanes }, arithmetics, onePixel);
    const of = (name: string) => (lanes.has(name) ? arithmetics.lanes : arithmetics.real);
    const given = Object.entries(inputs).map(([name, { shape }]) => ({ name, shape: shape as Shape, arithmetic: of(name) }));
    const last = nodes.at(-1) as Node;
    const program = layOut(packed, given, [{ name: last.name, arithmetic: of(last.name) }]);
    given.forEach(({ name }, i) => {
      const input = program.inputs[i] as (typeof program.inputs)[number];
      engine.bytes(input.reserved.pointer, input.reserved.bytes).fill(0);
      const { shape, data } = inputs[name] as Values;
      const [, width, channels] = shape;
      data.forEach((value, at) => {
        const [c, x, y] = [at % channels, Math.floor(at / channels) % width, Math.floor(at / channels / width)];
        const place = input.pointer + y * input.rowStride + x * input.pixelStride;
        const own = lanes.get(name);
        if (own) engine.shorts(place + 2 * c, 1)[0] = Math.round(value / scaleOf(own, c));
        else engine.floats(place + 4 * c, 1)[0] = value;
      });
      expect(input.pixelStride).toBe((name === INPUT ? channels : padChannels(channels)) * (lanes.has(name) ? 2 : 4));
    });
    expect(engine.run(program.pointer, program.instructions)).toBe(true);
    const [output] = program.outputs as [(typeof program.outputs)[number]];
    const [height, width, channels] = output.shape;
    const integers: number[] = [];
    const data: number[] = [];
    const own = lanes.get(last.name);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          const place = output.pointer + y * output.rowStride + x * output.pixelStride;
          if (own) integers.push(engine.shorts(place + 2 * c, 1)[0] as number);
          data.push(own ? (integers.at(-1) as number) * scaleOf(own, c) : (engine.floats(place + 4 * c, 1)[0] as number));
        }
      }
    }
    const words = new Uint32Array(engine.memory.buffer);
    const kernels = Array.from(
      { length: program.instructions },
      (_, i) => Kernel[words[(program.pointer + i * INSTRUCTION_BYTES) / 4] as number],
    );
    return { values: { shape: output.shape, data }, integers, kernels: kernels as string[], steps: program.steps };
  } finally {
    engine.release(mark);
  }
}
