import { UnsupportedModelError } from '../../errors.js';
import type { Lanes } from '../../graph/lanes.js';
import type { Constant } from '../constants.js';
import { turned } from '../layout.js';
import type { OnnxNode, OnnxTensor } from './model.js';
import { isEightBit, lanesOf, type Quantized, realValues } from './quantized.js';

/** What the file holds, and what is computed of it alone: by name, as it is kept and as real numbers. */
export class Values {
  readonly constants: Map<string, OnnxTensor>;
  readonly quantized = new Map<string, Quantized>();

  constructor(constants: ReadonlyMap<string, OnnxTensor>) {
    this.constants = new Map(constants);
  }

  constant(node: OnnxNode, index: number): OnnxTensor {
    const tensor = this.constants.get(node.inputs[index] ?? '');
    if (!tensor) throw new UnsupportedModelError(`onnx: input ${index} of ${node.operator} "${node.output}" is not in the file.`);
    return tensor;
  }

  /** Real numbers that the file holds, quantized or not. */
  real(name: string | undefined): Constant | undefined {
    const quantized = this.quantized.get(name ?? '');
    if (quantized) return { shape: quantized.tensor.shape, values: realValues(quantized, name as string) };
    const tensor = this.constants.get(name ?? '');
    if (!tensor) return undefined;
    const { shape, values } = tensor;
    return { shape, values: values instanceof Float32Array || values instanceof Float64Array ? values : Float64Array.from(values) };
  }

  scalar(node: OnnxNode, index: number): number | undefined {
    const constant = this.real(node.inputs[index]);
    return constant?.values.length === 1 ? constant.values[0] : undefined;
  }

  lanesOf(node: OnnxNode, scale: number): Lanes {
    return lanesOf(this.constants.get(node.inputs[scale] ?? ''), this.constants.get(node.inputs[scale + 1] ?? ''), node.output);
  }

  addConstant({ output, attributes }: OnnxNode): void {
    const whole = attributes.get('value')?.tensor;
    const numbers = attributes.get('value_floats')?.floats ?? attributes.get('value_ints')?.ints;
    const single = attributes.get('value_float')?.float ?? attributes.get('value_int')?.int;
    if (whole) this.constants.set(output, whole);
    else if (numbers) this.constants.set(output, { shape: [numbers.length], type: 'float32', values: Float64Array.from(numbers) });
    else if (single !== undefined) this.constants.set(output, { shape: [], type: 'float32', values: Float64Array.of(single) });
  }

  /** A tensor, its scale and its zero point, which follow each other among the inputs. */
  packed(node: OnnxNode, index: number, axis = 0): Quantized {
    const tensor = this.constant(node, index);
    const zeros = this.constants.get(node.inputs[index + 2] ?? '')?.values ?? Uint8Array.of(0);
    return { tensor, scales: this.constant(node, index + 1).values, zeroPoints: zeros, axis };
  }

  /** The filter behind a DequantizeLinear, of an integer operator, or a float one. */
  filterOf(node: OnnxNode, index: number): Quantized | Constant {
    const quantized = this.quantized.get(node.inputs[index] ?? '');
    if (quantized) return quantized;
    const tensor = this.constant(node, index);
    if (!isEightBit(tensor)) return this.real(node.inputs[index]) as Constant;
    const zeros = this.constants.get(node.inputs[index + 2] ?? '')?.values ?? Uint8Array.of(0);
    const plain = { tensor, scales: [1], zeroPoints: zeros, axis: node.operator === 'ConvInteger' ? 0 : 1 };
    return { shape: tensor.shape, values: realValues(plain, node.output) };
  }

  /** An int32 bias, in units of input scale x filter scale. */
  biasOf(node: OnnxNode, index: number): Constant | undefined {
    const tensor = this.constants.get(node.inputs[index] ?? '');
    if (!tensor) return undefined;
    const input = this.constant(node, 1).values[0] as number;
    const scales = this.constant(node, 4).values;
    const values = Float64Array.from(tensor.values, (value, c) => value * input * (scales[scales.length === 1 ? 0 : c] as number));
    return { shape: tensor.shape, values };
  }
}

export function transposed(tensor: OnnxTensor, node: OnnxNode): OnnxTensor {
  const [rows = 0, columns = 0] = tensor.shape;
  if (tensor.shape.length !== 2 || !(tensor.values instanceof Float32Array)) {
    throw new UnsupportedModelError(`onnx: a Transpose of the constant "${node.inputs[0]}" of shape [${tensor.shape}].`);
  }
  return { ...tensor, shape: [columns, rows], values: turned(tensor.values, rows, columns) };
}
