import * as integers from '../compute/lanes/index.js';
import type { Arithmetics } from '../compute/ways.js';
import type { Engine } from '../engine/engine.js';
import type { Node, Shape } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { FloatWeights, QuantizedWeights } from '../graph/network.js';
import { PackedNetwork } from '../runtime/packed-network.js';
import { layOut, type Program } from '../runtime/plan.js';
import type { TensorView } from '../runtime/tensors.js';
import { firstWay, type Kernels } from '../runtime/way.js';
import { type Clamps, zeroPoints } from './quantized.js';
import type { QTensor, Tensor } from './types.js';

/** A network of a node or a few, and the tensors it reads, by name. */
export interface Piece {
  readonly nodes: readonly Node[];
  readonly weights?: ReadonlyMap<string, FloatWeights | QuantizedWeights>;
  /** Of every quantized tensor. */
  readonly lanes?: ReadonlyMap<string, Lanes>;
  readonly inputs: ReadonlyMap<string, Tensor | QTensor>;
  readonly output: string;
}

const imageOf = ([, h, w, c]: Tensor['shape']): Shape => [h, w, c];

/** Runs a piece, image by image, on memory that is given back when it is done. */
export class Runner {
  private readonly arithmetics: Arithmetics;

  constructor(
    private readonly engine: Engine,
    kernels: Kernels,
  ) {
    this.arithmetics = firstWay(engine, kernels, integers).arithmetics;
  }

  float(piece: Piece): Tensor {
    return this.run(piece, false, (shape) => {
      const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
      return { data, shape };
    });
  }

  quantized(piece: Piece, dtype: 'int8' | 'uint8', clamps: Clamps): Pick<QTensor, 'data' | 'shape'> {
    const make = (shape: Tensor['shape']) => {
      const size = shape.reduce((product, side) => product * side, 1);
      return { data: dtype === 'int8' ? new Int8Array(size) : new Uint8Array(size), shape };
    };
    return this.run(piece, true, make, clamps);
  }

  private run<T extends Pick<Tensor | QTensor, 'data' | 'shape'>>(
    piece: Piece,
    quantized: boolean,
    make: (shape: Tensor['shape']) => T,
    clamps?: Clamps,
  ): T {
    const { arithmetics } = this;
    const engine = this.engine;
    const { nodes, weights = new Map(), lanes = new Map(), inputs, output } = piece;
    const mark = engine.mark();
    try {
      const onePixel = [...inputs].filter(([, { shape }]) => shape[1] * shape[2] === 1).map(([name]) => name);
      const packed = new PackedNetwork(engine, { graph: { nodes }, weights, lanes }, arithmetics, onePixel);
      const operands = [...inputs].map(([name, tensor]) => {
        const arithmetic = tensor.data instanceof Float32Array ? arithmetics.real : arithmetics.lanes;
        return { name, shape: imageOf(tensor.shape), arithmetic };
      });
      const program = layOut(packed, operands, [{ name: output, arithmetic: quantized ? arithmetics.lanes : arithmetics.real }]);
      const view = program.outputs[0] as TensorView;
      const tensors = [...inputs.values()];
      const batch = (tensors[0] as Tensor).shape[0];
      const result = make([batch, ...view.shape]);
      for (let image = 0; image < batch; image++) {
        tensors.forEach((tensor, i) => {
          write(engine, program, i, tensor, image);
        });
        engine.exports.execute(program.pointer, program.instructions, 0, 1);
        if (clamps) readQuantized(engine, view, result.data as QTensor['data'], image, clamps);
        else readFloat(engine, view, result.data as Float32Array, image);
      }
      return result;
    } finally {
      engine.release(mark);
    }
  }
}

/** One image of a tensor into its place, with zeros all around. */
function write(engine: Engine, program: Program, index: number, tensor: Tensor | QTensor, image: number): void {
  const { pointer, rowStride, pixelStride, shape, reserved } = program.inputs[index] as Program['inputs'][number];
  const [height, width, channels] = shape;
  engine.bytes(reserved.pointer, reserved.bytes).fill(0);
  const size = height * width * channels;
  const float = tensor.data instanceof Float32Array;
  const bytes = float ? 4 : 2;
  const memory = float ? new Float32Array(engine.memory.buffer) : new Int16Array(engine.memory.buffer);
  const points = float ? undefined : zeroPoints((tensor as QTensor).zeroPoint, channels);
  const { data } = tensor;
  for (let y = 0, from = image * size; y < height; y++) {
    let to = (pointer + y * rowStride) / bytes;
    for (let x = 0; x < width; x++, to += pixelStride / bytes) {
      if (points) for (let c = 0; c < channels; c++, from++) memory[to + c] = (data[from] as number) - (points[c] as number);
      else for (let c = 0; c < channels; c++, from++) memory[to + c] = data[from] as number;
    }
  }
}

function readFloat(engine: Engine, { pointer, rowStride, pixelStride, shape }: TensorView, data: Float32Array, image: number): void {
  const [height, width, channels] = shape;
  const memory = new Float32Array(engine.memory.buffer);
  for (let y = 0, to = image * height * width * channels; y < height; y++) {
    let from = (pointer + y * rowStride) / 4;
    for (let x = 0; x < width; x++, from += pixelStride / 4) {
      for (let c = 0; c < channels; c++, to++) data[to] = memory[from + c] as number;
    }
  }
}

function readQuantized(engine: Engine, view: TensorView, data: QTensor['data'], image: number, { low, high, zeroPoint }: Clamps): void {
  const { pointer, rowStride, pixelStride, shape } = view;
  const [height, width, channels] = shape;
  const memory = new Int16Array(engine.memory.buffer);
  for (let y = 0, to = image * height * width * channels; y < height; y++) {
    let from = (pointer + y * rowStride) / 2;
    for (let x = 0; x < width; x++, from += pixelStride / 2) {
      for (let c = 0; c < channels; c++, to++) {
        const lane = memory[from + c] as number;
        const [floor, ceiling] = [low[c] as number, high[c] as number];
        data[to] = (lane < floor ? floor : lane > ceiling ? ceiling : lane) + (zeroPoint[c] as number);
      }
    }
  }
}
