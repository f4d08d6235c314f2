import { Engine } from '../engine/engine.js';
import { INSTRUCTION_BYTES, writeProgram } from '../engine/instruction.js';
import { Kernel } from '../engine/kernel.js';
import type { Simd } from '../engine/variants.js';
import { QuantizationError, ShapeError } from '../errors.js';
import { INPUT, isDepthwise, type Node } from '../graph/graph.js';
import { GATE_LANES, type Lanes } from '../graph/lanes.js';
import type { QuantizedWeights } from '../graph/network.js';
import { resampleTable } from '../image/resample.js';
import { checkConvInput, checkFloat, checkParams, checkQuantized, checkSameShape, checkTensor, convNode, dtypeOf } from './checks.js';
import { clampsOf, inputLanes, integerWeights, outputLanes, zeroPoints } from './quantized.js';
import { type Piece, Runner } from './runner.js';
import type { ConvOptions, DenseLayer, QDenseLayer, QFilter, QTensor, QuantParams, Tensor } from './types.js';

export type { ConvOptions, DenseLayer, QDenseLayer, QFilter, QTensor, QuantParams, Tensor };

/**
 * Kernels on their own. Tensors are NHWC; every call returns a new one. Wrong shapes throw ShapeError, wrong scales and
 * zero points QuantizationError; afterwards the kernels can still be used.
 */
export type Kernels = InstanceType<typeof KernelSet>;

/** Loads the kernels; 'auto' takes relaxed SIMD where the engine has it. */
export async function loadKernels(options: { simd?: Simd } = {}): Promise<Kernels> {
  return new KernelSet(await Engine.create(options.simd));
}

const X = 'x';
const Y = 'y';
const OUT = 'output';

class KernelSet {
  private readonly runner: Runner;

  constructor(private readonly engine: Engine) {
    this.runner = new Runner(engine);
  }

  /** 'baseline' or 'relaxed': the SIMD that these kernels use. */
  get variant(): 'baseline' | 'relaxed' {
    return this.engine.variant;
  }

  // --- float32

  /** Convolution with bias and activation. x [n, h, w, c], filter [kh, kw, c / groups, outputs]. */
  conv2d(x: Tensor, filter: Tensor, options: ConvOptions = {}): Tensor {
    checkFloat('conv2d: x', x);
    checkFloat('conv2d: filter', filter);
    const node = convNode('conv2d', x.shape[3], filter, options);
    const { bias = new Float32Array(node.channels) } = options;
    if (!(bias instanceof Float32Array)) throw new ShapeError('conv2d: the bias of a float convolution is a Float32Array.');
    // A dense convolution gathers windows, whatever the channel count: its input needs no padding of channels.
    const name = isDepthwise(node) ? X : INPUT;
    return this.runner.float({
      nodes: [{ ...node, inputs: [name], name: OUT }],
      weights: new Map([[OUT, { filter: filter.data, bias }]]),
      inputs: new Map([[name, x]]),
      output: OUT,
    });
  }

  /** x * relu6(x + 3) / 6 (MobileNetV3 paper, section 5.2). */
  hardSwish(x: Tensor): Tensor {
    return this.unary('hardSwish', x, { kind: 'activation', activation: 'hardSwish' });
  }

  /** relu6(x + 3) / 6 */
  hardSigmoid(x: Tensor): Tensor {
    return this.unary('hardSigmoid', x, { kind: 'activation', activation: 'hardSigmoid' });
  }

  relu(x: Tensor): Tensor {
    return this.unary('relu', x, { kind: 'activation', activation: 'relu' });
  }

  relu6(x: Tensor): Tensor {
    return this.unary('relu6', x, { kind: 'activation', activation: 'relu6' });
  }

  /** a + b; b of a's shape, or [n, 1, 1, c]. */
  add(a: Tensor, b: Tensor): Tensor {
    return this.binary('add', a, b);
  }

  /** a * b; b of a's shape, or [n, 1, 1, c]. */
  multiply(a: Tensor, b: Tensor): Tensor {
    return this.binary('multiply', a, b);
  }

  /** The mean over height and width: [n, 1, 1, c]. */
  globalAveragePool(x: Tensor): Tensor {
    return this.unary('globalAveragePool', x, { kind: 'globalAveragePool' });
  }

  /** exp(x) / sum of exp(x) over the channels of each pixel. */
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

  /** Bilinear resize with half-pixel centres and no antialiasing: align_corners=False of PyTorch and TensorFlow. */
  resizeBilinear(x: Tensor, size: { readonly height: number; readonly width: number }): Tensor {
    checkFloat('resizeBilinear: x', x);
    const { height, width } = size;
    const [n, sourceHeight, sourceWidth, channels] = x.shape;
    const [pixels, sourcePixels] = [height * width * channels, sourceHeight * sourceWidth * channels];
    if (![height, width].every((side) => Number.isInteger(side) && side > 0) || n * pixels > 2 ** 28) {
      throw new ShapeError(`resizeBilinear: a target of ${height}x${width} pixels cannot be.`);
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

  /** x * hardSigmoid(expand(relu(reduce(mean of x)))): squeeze-and-excite as MobileNetV3 has it (section 5.3). */
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

  // --- int8 and uint8

  /** q = clamp(round half to even(x / scale) + zeroPoint); NaN becomes the zero point. */
  quantize(x: Tensor, params: QuantParams): QTensor {
    checkFloat('quantize: x', x);
    return this.quantized('quantize', params, x.shape[3], { nodes: [], inputs: new Map([[X, x]]), output: X }, [[X, outputLanes(params)]]);
  }

  /** scale * (q - zeroPoint) */
  dequantize(x: QTensor): Tensor {
    checkQuantized('dequantize: x', x);
    return this.runner.float({ nodes: [], lanes: new Map([[X, inputLanes('dequantize: x', x)]]), inputs: new Map([[X, x]]), output: X });
  }

  /**
   * Quantized convolution. Sums are exact 32-bit integers; then, each step one float32 operation,
   * q = clamp(round half to even(f32(sum) * m)) + zeroPoint with m = f32(input scale * filter scale / output scale).
   */
  conv2dInt8(x: QTensor, filter: QFilter, options: ConvOptions & { readonly output: QuantParams }): QTensor {
    checkQuantized('conv2dInt8: x', x);
    const node = convNode('conv2dInt8', x.shape[3], filter, options);
    checkFilter('conv2dInt8: filter', filter);
    checkConvInput('conv2dInt8', node, x);
    const lanes = inputLanes('conv2dInt8: x', x);
    const name = isDepthwise(node) ? X : INPUT;
    // The upper end of relu6 may differ by channel: it is clamped with the type's own.
    const { activation } = node;
    const piece: Piece = {
      nodes: [{ ...node, inputs: [name], name: OUT, activation: activation === 'relu6' ? 'relu' : activation }],
      weights: new Map([[OUT, integerWeights('conv2dInt8', filter, options.bias, lanes, isDepthwise(node))]]),
      inputs: new Map([[name, x]]),
      output: OUT,
    };
    return this.quantized('conv2dInt8', options.output, node.channels, piece, [[name, lanes]], activation);
  }

  hardSwishInt8(x: QTensor, output: QuantParams): QTensor {
    checkQuantized('hardSwishInt8: x', x);
    const piece: Piece = {
      nodes: [{ kind: 'activation', activation: 'hardSwish', name: OUT, inputs: [X] }],
      inputs: new Map([[X, x]]),
      output: OUT,
    };
    return this.quantized('hardSwishInt8', output, x.shape[3], piece, [[X, inputLanes('hardSwishInt8: x', x)]]);
  }

  /** a + b, of one shape. */
  addInt8(a: QTensor, b: QTensor, output: QuantParams): QTensor {
    checkQuantized('addInt8: a', a);
    checkQuantized('addInt8: b', b);
    checkSameShape('addInt8', a, b, false);
    const piece: Piece = {
      nodes: [{ kind: 'add', activation: 'none', name: OUT, inputs: [X, Y] }],
      inputs: new Map([
        [X, a],
        [Y, b],
      ]),
      output: OUT,
    };
    return this.quantized('addInt8', output, a.shape[3], piece, [
      [X, inputLanes('addInt8: a', a)],
      [Y, inputLanes('addInt8: b', b)],
    ]);
  }

  globalAveragePoolInt8(x: QTensor, output: QuantParams): QTensor {
    checkQuantized('globalAveragePoolInt8: x', x);
    const piece: Piece = {
      nodes: [{ kind: 'globalAveragePool', name: OUT, inputs: [X] }],
      inputs: new Map([[X, x]]),
      output: OUT,
    };
    return this.quantized('globalAveragePoolInt8', output, x.shape[3], piece, [[X, inputLanes('globalAveragePoolInt8: x', x)]]);
  }

  /**
   * Squeeze-and-excite on integers. Between the layers values keep 16 bits, the gate 15, unless reduce.output fixes its
   * scale; an integer bias of expand needs that scale to have a unit.
   */
  squeezeExciteInt8(x: QTensor, layers: { readonly reduce: QDenseLayer; readonly expand: QDenseLayer }, output: QuantParams): QTensor {
    const what = 'squeezeExciteInt8';
    checkQuantized(`${what}: x`, x);
    const { reduce, expand } = layers;
    const nodes = squeezeExciteNodes(x.shape[3], layers);
    checkFilter(`${what}: reduce.filter`, reduce.filter);
    checkFilter(`${what}: expand.filter`, expand.filter);
    if (expand.output) throw new QuantizationError(`${what}: the gate is in Q15 always; leave expand.output out.`);
    if (expand.bias instanceof Int32Array && !reduce.output) {
      throw new QuantizationError(
        `${what}: an Int32Array as expand.bias is in units of reduce.output's scale; give reduce.output, or a Float32Array.`,
      );
    }
    const input = inputLanes(`${what}: x`, x);
    if (typeof input.scale !== 'number') throw new QuantizationError(`${what}: x needs one scale for the tensor.`);
    const squeezed = finer(input, widest(reduce.filter));
    const reducing = integerWeights(`${what}: reduce`, reduce.filter, reduce.bias, squeezed, false);
    const reduced = reduce.output
      ? narrow(`${what}: reduce.output`, reduce.output, reduce.filter.shape[3])
      : bounded(reducing, squeezed, widest(expand.filter));
    const expanding = integerWeights(`${what}: expand`, expand.filter, expand.bias, reduced, false);
    const piece: Piece = {
      nodes,
      weights: new Map([
        ['reduce', reducing],
        ['expand', expanding],
      ]),
      inputs: new Map([[X, x]]),
      output: OUT,
    };
    return this.quantized(what, output, x.shape[3], piece, [
      [X, input],
      ['squeeze', squeezed],
      ['reduce', reduced],
      ['expand', GATE_LANES],
    ]);
  }

  // ---

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

  private quantized(
    what: string,
    params: QuantParams,
    channels: number,
    piece: Piece,
    lanes: [string, Lanes][],
    activation: Parameters<typeof clampsOf>[2] = 'none',
  ): QTensor {
    checkParams(`${what}: output`, params, channels);
    const all = new Map([...lanes, [piece.output, outputLanes(params)] as const]);
    const { data, shape } = this.runner.quantized({ ...piece, lanes: all }, params.dtype, clampsOf(params, channels, activation));
    return { data, shape, scale: params.scale, zeroPoint: params.zeroPoint };
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

function checkFilter(what: string, filter: QFilter): void {
  checkTensor(what, filter);
  const { data, scale, zeroPoint = 0, shape } = filter;
  checkParams(what, { dtype: dtypeOf(what, data), scale, zeroPoint }, shape[3]);
}

function squeezeExciteNodes(
  channels: number,
  { reduce, expand }: { reduce: DenseLayer | QDenseLayer; expand: DenseLayer | QDenseLayer },
): Node[] {
  const options = (layer: DenseLayer | QDenseLayer, activation: ConvOptions['activation']) =>
    ({ padding: 'valid', ...(layer.bias ? { bias: layer.bias } : {}), ...(activation ? { activation } : {}) }) as const;
  const reducing = convNode('squeezeExcite: reduce', channels, reduce.filter, options(reduce, 'relu'));
  const expanding = convNode('squeezeExcite: expand', reducing.channels, expand.filter, options(expand, 'hardSigmoid'));
  if (expanding.channels !== channels || [...reducing.kernel, ...expanding.kernel].some((side) => side !== 1)) {
    throw new ShapeError(
      `squeezeExcite: filters are [1, 1, ${channels}, r] and [1, 1, r, ${channels}]; [${reduce.filter.shape}] and [${expand.filter.shape}] were given.`,
    );
  }
  return [
    { kind: 'globalAveragePool', name: 'squeeze', inputs: [X] },
    { ...reducing, name: 'reduce', inputs: ['squeeze'] },
    { ...expanding, name: 'expand', inputs: ['reduce'] },
    { kind: 'multiply', name: OUT, inputs: [X, 'expand'] },
  ];
}

const largest = ({ low, high }: Lanes) => Math.max(-low, high);

/** The largest lane that leaves half of a 32-bit sum to the bias. */
function widest({ data, shape, zeroPoint = 0 }: QFilter): number {
  const channels = shape[3];
  const points = zeroPoints(zeroPoint, channels);
  const sums = new Float64Array(channels);
  for (let i = 0; i < data.length; i++) {
    const c = i % channels;
    sums[c] = (sums[c] as number) + Math.abs((data[i] as number) - (points[c] as number));
  }
  return Math.min(32767, Math.floor(2 ** 30 / Math.max(...sums, 1)));
}

/** The same range in finer steps, up to a lane. */
function finer(lanes: Lanes, limit: number): Lanes {
  const factor = Math.max(1, Math.floor(limit / largest(lanes)));
  return { scale: (lanes.scale as number) / factor, low: lanes.low * factor, high: lanes.high * factor };
}

/** Lanes of a given type, that is, clamped to it. */
function narrow(what: string, params: QuantParams, channels: number): Lanes {
  checkParams(what, params, channels);
  if (typeof params.scale !== 'number' || typeof params.zeroPoint !== 'number') {
    throw new QuantizationError(`${what}: one scale and one zero point are needed.`);
  }
  const { low, high } = clampsOf(params, 1, 'none');
  return { scale: Math.fround(params.scale), low: low[0] as number, high: high[0] as number };
}

/** Lanes up to a limit that no input within `lanes` can leave. */
function bounded({ filter, scale, bias }: QuantizedWeights, lanes: Lanes, limit: number): Lanes {
  const channels = scale.length;
  const sums = Float64Array.from(bias, Math.abs);
  filter.forEach((w, i) => {
    sums[i % channels] = (sums[i % channels] as number) + Math.abs(w) * largest(lanes);
  });
  const bound = sums.reduce((most, sum, c) => Math.max(most, sum * (scale[c] as number) * (lanes.scale as number)), 0);
  return { scale: Math.fround(Math.max(bound, 1e-30) / limit), low: -limit, high: limit };
}
