import { FLOAT32 } from '../compute/float32/float32.js';
import { lanesBy } from '../compute/lanes/lanes.js';
import { PAIRS } from '../compute/lanes/pairs.js';
import { Engine } from '../engine/engine.js';
import type { ConvNode, Shape } from '../graph/graph.js';
import { type Packable, PackedNetwork } from '../runtime/packed-network.js';
import { layOut, type Program } from '../runtime/plan.js';
import type { TensorView } from '../runtime/tensors.js';

const ARITHMETICS = { real: FLOAT32, lanes: lanesBy(PAIRS) };

/** One image's tensor, [height, width, channels] row by row. */
export interface Values {
  readonly shape: Shape;
  readonly data: Float32Array;
}

/**
 * Runs pieces of a float network on any of its tensors. The baseline kernels, because what they compute is the same bits
 * on every machine.
 */
export class PieceRunner {
  private constructor(private readonly engine: Engine) {}

  static async create(): Promise<PieceRunner> {
    return new PieceRunner(await Engine.create('baseline', 1));
  }

  dispose(): void {
    this.engine.dispose();
  }

  /**
   * The tensor `output` for one input after the other; those that follow each other in the same shape share a plan. One
   * such run at a time, but product() may be called while it waits.
   */
  *run(network: Packable, input: string, output: string, inputs: Iterable<Values>): Generator<Values> {
    const { engine } = this;
    const mark = engine.mark();
    let program: Program | undefined;
    let shape: Shape | undefined;
    try {
      for (const values of inputs) {
        if (!program || values.shape.some((side, i) => side !== shape?.[i])) {
          engine.release(mark);
          shape = values.shape;
          const onePixel = shape[0] * shape[1] === 1 ? [input] : [];
          const packed = new PackedNetwork(engine, network, ARITHMETICS, onePixel);
          program = layOut(packed, [{ name: input, shape, arithmetic: FLOAT32 }], [{ name: output, arithmetic: FLOAT32 }]);
        }
        this.write(program, values.data);
        engine.run(program.pointer, program.instructions);
        yield this.read(program);
      }
    } finally {
      engine.release(mark);
    }
  }

  /** a x b', a [rows, depth] and b' [depth, columns]: a pointwise convolution of `rows` pixels. */
  product(a: Float32Array, b: Float32Array, depth: number): Float32Array {
    const channels = b.length / depth;
    const node: ConvNode = {
      kind: 'conv',
      name: 'product',
      inputs: ['a'],
      kernel: [1, 1],
      strides: [1, 1],
      padding: 'valid',
      inputChannels: depth,
      channels,
      groups: 1,
      activation: 'none',
    };
    const weights = new Map([['product', { filter: b, bias: new Float32Array(channels) }]]);
    const inputs = [{ shape: [1, a.length / depth, depth] as const, data: a }];
    const [result] = this.run({ graph: { nodes: [node] }, weights, lanes: new Map() }, 'a', 'product', inputs);
    return (result as Values).data;
  }

  private write(program: Program, data: Float32Array): void {
    const { engine } = this;
    const { pointer, bytes } = (program.inputs[0] as Program['inputs'][number]).reserved;
    const memory = engine.floats(0, engine.memory.buffer.byteLength / 4);
    memory.fill(0, pointer / 4, (pointer + bytes) / 4);
    forEachRun(program.inputs[0] as TensorView, (at, from, count) => memory.set(data.subarray(from, from + count), at));
  }

  private read(program: Program): Values {
    const { engine } = this;
    const view = program.outputs[0] as TensorView;
    const [height, width, channels] = view.shape;
    const memory = engine.floats(0, engine.memory.buffer.byteLength / 4);
    const data = new Float32Array(height * width * channels);
    forEachRun(view, (at, from, count) => data.set(memory.subarray(at, at + count), from));
    return { shape: view.shape, data };
  }
}

/** The values that follow each other both in memory and in a row by row array: pixels, or rows where no channel is padded. */
function forEachRun(
  { shape, pointer, rowStride, pixelStride }: TensorView,
  visit: (at: number, from: number, count: number) => void,
): void {
  const [height, width, channels] = shape;
  const run = pixelStride === channels * 4 ? width : 1;
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0; x < width; x += run, from += run * channels)
      visit((pointer + y * rowStride + x * pixelStride) / 4, from, run * channels);
  }
}
