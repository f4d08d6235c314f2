import type { Activation } from '../graph/graph.js';
import type { Lanes } from '../graph/lanes.js';
import type { NetworkBuilder } from './builder.js';
import { arithmeticOf, type Constant, type Operation } from './constants.js';

interface How {
  readonly operation: Operation;
  readonly activation: Activation;
  readonly lanes?: Lanes;
}

/** Adds a sum or a product of tensors, numbers and values a channel to a network; of constants it is computed at once. */
export function arithmetic(
  builder: NetworkBuilder,
  id: string,
  operation: Operation,
  a: string | undefined,
  b: string | undefined,
  activation: Activation = 'none',
  lanes?: Lanes,
): void {
  const how: How = { operation, activation, ...(lanes ? { lanes } : {}) };
  const [left, right] = [builder.constant(a), builder.constant(b)];
  if (left && right) builder.constants.set(id, arithmeticOf(builder.format, operation, left, right));
  else if (left) withConstant(builder, id, how, b as string, left, true);
  else if (right) withConstant(builder, id, how, a as string, right, false);
  else builder.combine(id, operation, a, b, activation, lanes);
}

function withConstant(
  builder: NetworkBuilder,
  id: string,
  { operation, activation, lanes }: How,
  input: string,
  constant: Constant,
  first: boolean,
): void {
  if (operation === 'divide' && first) throw builder.unsupported('a number divided by a tensor.');
  const { values } = constant;
  const sign = operation === 'subtract' && first ? -1 : 1;
  const gainOf = (v: number) => (operation === 'multiply' ? v : operation === 'divide' ? 1 / v : sign);
  const offsetOf = (v: number) => (operation === 'add' || (operation === 'subtract' && first) ? v : operation === 'subtract' ? -v : 0);
  const range = activation === 'relu6' ? { low: 0, high: 6 } : activation === 'relu' ? { low: 0 } : {};
  if (values.length === 1) {
    const value = values[0] as number;
    builder.affine(id, input, { alpha: gainOf(value), beta: offsetOf(value), ...range }, lanes);
    return;
  }
  checkPerChannel(builder, input, constant);
  if (lanes) throw builder.unsupported('a value a channel is added to or multiplied with a quantized tensor.');
  const between = activation === 'none' ? id : `${id} before ${activation}`;
  builder.channels(between, input, Float32Array.from(values, gainOf), Float32Array.from(values, offsetOf));
  if (activation !== 'none') builder.activation(id, between, activation);
}

/** A constant with a value a channel goes along the axis that channels have. */
function checkPerChannel(builder: NetworkBuilder, input: string, { shape, values }: Constant): void {
  const [height, width, depth] = builder.shape(input);
  const long = shape.map((side, i) => [side, shape.length - i] as const).filter(([side]) => side !== 1);
  // An image with its channels innermost may come before it is turned.
  const axes = height * width === 1 ? [1, 2, 3, 4] : builder.channelAxis === 1 && (width === depth || long[0]?.[1] !== 1) ? [3] : [1];
  if (values.length !== depth || long.length !== 1 || !axes.includes(long[0]?.[1] as number)) {
    throw builder.unsupported(`arithmetic of ${height}x${width}x${depth} values with a constant of shape [${shape}].`);
  }
}
