import type { Engine } from '../engine/engine.js';
import { INSTRUCTION_BYTES, writeProgram } from '../engine/instruction.js';
import { Kernel } from '../engine/kernel.js';
import { ShapeError } from '../errors.js';
import { INPUT, isDepthwise, type Node } from '../graph/graph.js';
import { resampleTable } from '../image/resample.js';
import type { Tensor } from '../inputs.js';
import type { Kernels } from '../runtime/way.js';
import { checkFloat, checkSameShape, convNode } from './checks.js';
import { Runner } from './runner.js';
import { OUT, squeezeExciteNodes, X } from './squeeze-excite.js';
import type { ConvOptions, DenseLayer } from './types.js';

export const Y = 'y';

/** The float32 half of the kernels. */
export class FloatKernels {
  protected readonly runner: Runner;

  constructor(
    protected readonly engine: Engine,
    kernels: Kernels,
  ) {
    this.runner = new Runner(engine, kernels);
  }

  /** 'baseline' or 'relaxed': the SIMD that these kernels use. */
  get variant(): 'baseline' | 'relaxed' {
    return this.engine.variant;
  }

  /**
   * Convolution with bias and activation.
   *
   * @param x [n, h, w, c]
   * @param filter [kh, kw, c / groups, outputs]
   * @returns [n, h, w, outputs], h and w by strides and padding
   * @throws ShapeError where filter, bias, strides or padding do not fit
   * @example const y = kernels.conv2d(x, filter, { strides: [2, 2], padding: [1, 1, 1, 1], activation: 'relu' });
   */
  conv2d(x: Tensor, filter: Tensor, options: ConvOptions = {}): Tensor {
    checkFloat('conv2d: x', x);
    checkFloat('conv2d: filter', filter);
    const node = convNode('conv2d', x.shape[3], filter, options);
    const { bias = new Float32Array(node.channels) } = options;
    if (!(bias instanceof Float32Array)) throw new ShapeError('conv2d: the bias of a float convolution must be a Float32Array.');
    // A dense convolution gathers windows, whatever the channel count: its input needs no padding of channels.
    const name = isDepthwise(node) ? X : INPUT;
    return this.runner.float({
      nodes: [{ ...node, inputs: [name], name: OUT }],
      weights: new Map([[OUT, { filter: filter.data, bias }]]),
      inputs: new Map([[name, x]]),
      output: OUT,
    });
  }

  /**
   * x * relu6(x + 3) / 6 (MobileNetV3 paper, section 5.2).
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c]
   * @throws ShapeError for a tensor whose values are not as many as its shape says
   * @example const y = kernels.hardSwish({ data: new Float32Array([-4, -1, 0, 2]), shape: [1, 1, 1, 4] });
   */
  hardSwish(x: Tensor): Tensor {
    return this.unary('hardSwish', x, { kind: 'activation', activation: 'hardSwish' });
  }

  /**
   * relu6(x + 3) / 6.
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c]
   * @throws ShapeError for a tensor whose values are not as many as its shape says
   * @example const y = kernels.hardSigmoid({ data: new Float32Array([-4, -1, 0, 2]), shape: [1, 1, 1, 4] });
   */
  hardSigmoid(x: Tensor): Tensor {
    return this.unary('hardSigmoid', x, { kind: 'activation', activation: 'hardSigmoid' });
  }

  /**
   * 1 / (1 + e^-x): the gate of MnasNet's squeeze-excite.
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c]
   * @throws ShapeError for a tensor whose values are not as many as its shape says
   * @example const y = kernels.sigmoid({ data: new Float32Array([-4, -1, 0, 2]), shape: [1, 1, 1, 4] });
   */
  sigmoid(x: Tensor): Tensor {
    return this.unary('sigmoid', x, { kind: 'activation', activation: 'sigmoid' });
  }

  /**
   * x / (1 + e^-x), also called SiLU (arXiv 1710.05941).
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c]
   * @throws ShapeError for a tensor whose values are not as many as its shape says
   * @example const y = kernels.swish({ data: new Float32Array([-4, -1, 0, 2]), shape: [1, 1, 1, 4] });
   */
  swish(x: Tensor): Tensor {
    return this.unary('swish', x, { kind: 'activation', activation: 'swish' });
  }

  /**
   * max(x, 0).
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c]
   * @throws ShapeError for a tensor whose values are not as many as its shape says
   * @example const y = kernels.relu({ data: new Float32Array([-4, -1, 0, 2]), shape: [1, 1, 1, 4] });
   */
  relu(x: Tensor): Tensor {
    return this.unary('relu', x, { kind: 'activation', activation: 'relu' });
  }

  /**
   * min(max(x, 0), 6).
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c]
   * @throws ShapeError for a tensor whose values are not as many as its shape says
   * @example const y = kernels.relu6({ data: new Float32Array([-4, -1, 0, 2]), shape: [1, 1, 1, 4] });
   */
  relu6(x: Tensor): Tensor {
    return this.unary('relu6', x, { kind: 'activation', activation: 'relu6' });
  }

  /**
   * a + b.
   *
   * @param a [n, h, w, c]
   * @param b of the same shape, or [n, 1, 1, c]
   * @returns [n, h, w, c]
   * @throws ShapeError where the shapes do not fit
   * @example const y = kernels.add(a, b);
   */
  add(a: Tensor, b: Tensor): Tensor {
    return this.binary('add', a, b);
  }

  /**
   * a * b.
   *
   * @param a [n, h, w, c]
   * @param b of the same shape, or [n, 1, 1, c]
   * @returns [n, h, w, c]
   * @throws ShapeError where the shapes do not fit
   * @example const y = kernels.multiply(a, b);
   */
  multiply(a: Tensor, b: Tensor): Tensor {
    return this.binary('multiply', a, b);
  }

  /**
   * The mean over height and width.
   *
   * @param x [n, h, w, c]
   * @returns [n, 1, 1, c]
   * @throws ShapeError for a tensor whose values are not as many as its shape says
   * @example const means = kernels.globalAveragePool(x);
   */
  globalAveragePool(x: Tensor): Tensor {
    return this.unary('globalAveragePool', x, { kind: 'globalAveragePool' });
  }

  /**
   * exp(x) / sum of exp(x) over the channels of each pixel.
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c], the channels of a pixel summing to 1
   * @throws ShapeError for a tensor whose values are not as many as its shape says
   * @example const probabilities = kernels.softmax(logits);
   */
  softmax(x: Tensor): Tensor {
    checkFloat('softmax: x', x);
    const [n, h, w, channels] = x.shape;
    const data = new Float32Array(x.data.length);
    this.scratch((allocate) => {
      const input = allocate(channels * 4);
      const output = allocate(channels * 4);
      const program = allocate(INSTRUCTION_BYTES);
      writeProgram(this.engine.memory, program, [{ kernel: Kernel.f32_softmax, units: 1, input, output, channels }]);
      for (let pixel = 0; pixel < n * h * w; pixel++) {
        this.engine.floats(input, channels).set(x.data.subarray(pixel * channels, (pixel + 1) * channels));
        this.engine.exports.execute(program, 1, 0, 1);
        data.set(this.engine.floats(output, channels), pixel * channels);
      }
    });
    return { data, shape: x.shape };
  }

  /**
   * Bilinear resize with half-pixel centres and no antialiasing: align_corners=False of PyTorch and TensorFlow.
   *
   * @param x [n, h, w, c]
   * @param size in pixels
   * @returns [n, size.height, size.width, c]
   * @throws ShapeError for sides that are no whole numbers above 0, or more than 2^28 values
   * @example const half = kernels.resizeBilinear(x, { height: 112, width: 112 });
   */
  resizeBilinear(x: Tensor, size: { readonly height: number; readonly width: number }): Tensor {
    checkFloat('resizeBilinear: x', x);
    const { height, width } = size;
    const [n, sourceHeight, sourceWidth, channels] = x.shape;
    const [pixels, sourcePixels] = [height * width * channels, sourceHeight * sourceWidth * channels];
    if (![height, width].every((side) => Number.isInteger(side) && side > 0) || n * pixels > 2 ** 28) {
      throw new ShapeError(
        `resizeBilinear: height and width must be whole numbers above 0 that give at most ${2 ** 28} values; got ${height}x${width}.`,
      );
    }
    const data = new Float32Array(n * pixels);
    const rows = resampleTable(sourceHeight, height, 0, height, 'bilinear', false);
    const columns = resampleTable(sourceWidth, width, 0, width, 'bilinear', false);
    this.scratch((allocate) => {
      const [rowTable, columnTable] = [rows, columns].map(({ words }) => {
        const pointer = allocate(words.length * 4);
        this.engine.ints(pointer, words.length).set(new Int32Array(words.buffer, words.byteOffset, words.length));
        return pointer;
      }) as [number, number];
      const input = allocate(sourcePixels * 4);
      const output = allocate(pixels * 4);
      for (let image = 0; image < n; image++) {
        this.engine.floats(input, sourcePixels).set(x.data.subarray(image * sourcePixels, (image + 1) * sourcePixels));
        this.engine.exports.f32_resize(input, output, sourceWidth, channels, height, width, rowTable, rows.taps, columnTable, columns.taps);
        data.set(this.engine.floats(output, pixels), image * pixels);
      }
    });
    return { data, shape: [n, height, width, channels] };
  }

  /**
   * x * hardSigmoid(expand(relu(reduce(mean of x)))): squeeze-and-excite as MobileNetV3 has it (section 5.3).
   *
   * @param x [n, h, w, c]
   * @param layers reduce with a filter [1, 1, c, r], expand with a filter [1, 1, r, c]
   * @returns [n, h, w, c]
   * @throws ShapeError where the filters do not fit
   * @example const y = kernels.squeezeExcite(x, { reduce: { filter, bias }, expand: { filter: back } });
   */
  squeezeExcite(x: Tensor, layers: { readonly reduce: DenseLayer; readonly expand: DenseLayer }): Tensor {
    checkFloat('squeezeExcite: x', x);
    const { reduce, expand } = layers;
    checkFloat('squeezeExcite: reduce.filter', reduce.filter);
    checkFloat('squeezeExcite: expand.filter', expand.filter);
    const zeros = (filter: Tensor) => new Float32Array(filter.shape[3]);
    return this.runner.float({
      nodes: squeezeExciteNodes(x.shape[3], layers),
      weights: new Map([
        ['reduce', { filter: reduce.filter.data, bias: reduce.bias ?? zeros(reduce.filter) }],
        ['expand', { filter: expand.filter.data, bias: expand.bias ?? zeros(expand.filter) }],
      ]),
      inputs: new Map([[X, x]]),
      output: OUT,
    });
  }

  private unary(what: string, x: Tensor, node: Record<string, unknown> & { kind: Node['kind'] }): Tensor {
    checkFloat(`${what}: x`, x);
    return this.runner.float({ nodes: [{ ...node, name: OUT, inputs: [X] } as Node], inputs: new Map([[X, x]]), output: OUT });
  }

  private binary(kind: 'add' | 'multiply', a: Tensor, b: Tensor): Tensor {
    checkFloat(`${kind}: a`, a);
    checkFloat(`${kind}: b`, b);
    checkSameShape(kind, a, b, true);
    const node = kind === 'add' ? ({ kind, activation: 'none' } as const) : ({ kind } as const);
    return this.runner.float({
      nodes: [{ ...node, name: OUT, inputs: [X, Y] }],
      inputs: new Map([
        [X, a],
        [Y, b],
      ]),
      output: OUT,
    });
  }

  private scratch(use: (allocate: (bytes: number) => number) => void): void {
    const mark = this.engine.mark();
    try {
      use((bytes) => this.engine.allocate(bytes));
    } finally {
      this.engine.release(mark);
    }
  }
}
