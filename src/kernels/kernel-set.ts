import { QuantizationError } from '../errors.js';
import { type Curve, INPUT, isDepthwise } from '../graph/graph.js';
import { GATE_LANES, type Lanes } from '../graph/lanes.js';
import type { Tensor } from '../inputs.js';
import { checkConvInput, checkFloat, checkParams, checkQuantized, checkSameShape, checkTensor, convNode, dtypeOf } from './checks.js';
import { FloatKernels, Y } from './float.js';
import { bounded, clampsOf, finer, inputLanes, integerWeights, narrow, outputLanes, widest } from './quantized.js';
import type { Piece } from './runner.js';
import { OUT, squeezeExciteNodes, X } from './squeeze-excite.js';
import type { ConvOptions, QDenseLayer, QFilter, QTensor, QuantParams } from './types.js';

/**
 * Kernels on their own: the float32 ones and the quantized ones. Tensors are NHWC; every call returns a new one. Wrong shapes throw
 * ShapeError, wrong scales and zero points QuantizationError; afterwards the kernels can still be used.
 */
export class KernelSet extends FloatKernels {
  /**
   * q = clamp(round half to even(x / scale) + zeroPoint); NaN becomes the zero point.
   *
   * @param x [n, h, w, c], real values
   * @returns [n, h, w, c] of int8 or uint8
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const q = kernels.quantize(x, { dtype: 'int8', scale: 0.05, zeroPoint: 0 });
   */
  quantize(x: Tensor, params: QuantParams): QTensor {
    checkFloat('quantize: x', x);
    return this.quantized('quantize', params, x.shape[3], { nodes: [], inputs: new Map([[X, x]]), output: X }, [[X, outputLanes(params)]]);
  }

  /**
   * scale * (q - zeroPoint).
   *
   * @param x [n, h, w, c] of int8 or uint8
   * @returns [n, h, w, c], real values
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const x = kernels.dequantize(q);
   */
  dequantize(x: QTensor): Tensor {
    checkQuantized('dequantize: x', x);
    return this.runner.float({ nodes: [], lanes: new Map([[X, inputLanes('dequantize: x', x)]]), inputs: new Map([[X, x]]), output: X });
  }

  /**
   * Quantized convolution. Sums are exact 32-bit integers; then, each step one float32 operation,
   * q = clamp(round half to even(f32(sum) * m)) + zeroPoint with m = f32(input scale * filter scale / output scale).
   *
   * @param x [n, h, w, c]
   * @param filter [kh, kw, c / groups, outputs]
   * @returns [n, h, w, outputs], quantized as `options.output` says
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const y = kernels.conv2dInt8(x, filter, { output: { dtype: 'int8', scale: 0.1, zeroPoint: -10 } });
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

  /**
   * hardSwish() on quantized values.
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c], quantized as `output` says
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const y = kernels.hardSwishInt8(x, output);
   */
  hardSwishInt8(x: QTensor, output: QuantParams): QTensor {
    return this.activationInt8('hardSwish', x, output);
  }

  /**
   * sigmoid() on quantized values.
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c], quantized as `output` says
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const y = kernels.sigmoidInt8(x, output);
   */
  sigmoidInt8(x: QTensor, output: QuantParams): QTensor {
    return this.activationInt8('sigmoid', x, output);
  }

  /**
   * swish() on quantized values.
   *
   * @param x [n, h, w, c]
   * @returns [n, h, w, c], quantized as `output` says
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const y = kernels.swishInt8(x, output);
   */
  swishInt8(x: QTensor, output: QuantParams): QTensor {
    return this.activationInt8('swish', x, output);
  }

  /**
   * a + b, of one shape.
   *
   * @param a [n, h, w, c]
   * @param b [n, h, w, c], with a scale of its own
   * @returns [n, h, w, c], quantized as `output` says
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const y = kernels.addInt8(a, b, output);
   */
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

  /**
   * globalAveragePool() on quantized values.
   *
   * @param x [n, h, w, c]
   * @returns [n, 1, 1, c], quantized as `output` says
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const means = kernels.globalAveragePoolInt8(x, output);
   */
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
   *
   * @param x [n, h, w, c], with one scale for the whole tensor
   * @param layers reduce with a filter [1, 1, c, r], expand with a filter [1, 1, r, c]
   * @returns [n, h, w, c], quantized as `output` says
   * @throws ShapeError where shapes do not fit, QuantizationError for a scale that is not positive or a zero point outside the type
   * @example const y = kernels.squeezeExciteInt8(x, { reduce: { filter }, expand: { filter: back } }, output);
   */
  squeezeExciteInt8(x: QTensor, layers: { readonly reduce: QDenseLayer; readonly expand: QDenseLayer }, output: QuantParams): QTensor {
    const what = 'squeezeExciteInt8';
    checkQuantized(`${what}: x`, x);
    const { reduce, expand } = layers;
    const nodes = squeezeExciteNodes(x.shape[3], layers);
    checkFilter(`${what}: reduce.filter`, reduce.filter);
    checkFilter(`${what}: expand.filter`, expand.filter);
    if (expand.output) throw new QuantizationError(`${what}: the gate is always in Q15; leave expand.output out.`);
    if (expand.bias instanceof Int32Array && !reduce.output) {
      throw new QuantizationError(
        `${what}: an Int32Array as expand.bias is in units of reduce.output's scale; give reduce.output, or a Float32Array.`,
      );
    }
    const input = inputLanes(`${what}: x`, x);
    if (typeof input.scale !== 'number')
      throw new QuantizationError(`${what}: x needs one scale for the whole tensor; it has one a channel.`);
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

  private activationInt8(activation: 'hardSwish' | Curve, x: QTensor, output: QuantParams): QTensor {
    const what = `${activation}Int8`;
    checkQuantized(`${what}: x`, x);
    const piece: Piece = {
      nodes: [{ kind: 'activation', activation, name: OUT, inputs: [X] }],
      inputs: new Map([[X, x]]),
      output: OUT,
    };
    return this.quantized(what, output, x.shape[3], piece, [[X, inputLanes(`${what}: x`, x)]]);
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
}

function checkFilter(what: string, filter: QFilter): void {
  checkTensor(what, filter);
  const { data, scale, zeroPoint = 0, shape } = filter;
  checkParams(what, { dtype: dtypeOf(what, data), scale, zeroPoint }, shape[3]);
}
