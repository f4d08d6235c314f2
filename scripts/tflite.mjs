// A float network of ours as a .tflite file, with the operators that TensorFlow's converter emits: for the peers that read
// one, and for the tests of our reader. Field numbers are those of TensorFlow Lite's schema.fbs.
import { Builder } from 'flatbuffers';

const FLOAT32 = 0;
const FLOAT16 = 1;
const INT32 = 2;
const INT8 = 9;
const CODES = {
  ADD: 0,
  CONV_2D: 3,
  DEPTHWISE_CONV_2D: 4,
  DEQUANTIZE: 6,
  LOGISTIC: 14,
  MUL: 18,
  RELU: 19,
  RELU6: 21,
  PAD: 34,
  MEAN: 40,
  HARD_SWISH: 117,
};
/** Number in the union BuiltinOptions. */
const OPTIONS = { ADD: 11, CONV_2D: 1, DEPTHWISE_CONV_2D: 2, MUL: 21, PAD: 22, MEAN: 27 };
const FUSED = { none: 0, relu: 1, relu6: 3 };
const SAME = 0;
const VALID = 1;

class Writer {
  builder = new Builder(1 << 20);
  tensors = [];
  operators = [];
  codes = [];

  /**
   * @param values undefined for a tensor that is computed; Uint16Array holds float16
   * @param scales of an int8 tensor, along `axis`
   */
  tensor(shape, values, scales, axis) {
    this.tensors.push({ shape, values, scales, axis });
    return this.tensors.length - 1;
  }

  constant = (shape, values) => this.tensor(shape, values);

  /** A filter or a bias, as `weights` says that the file keeps them; filters have their channels along `axis`. */
  kept(weights, shape, values, axis) {
    if (weights === 'float16') return this.operator('DEQUANTIZE', [this.constant(shape, toFloat16(values))], shape);
    if (weights === 'float32' || axis === undefined) return this.constant(shape, values);
    const { integers, scales } = toInt8(values, shape, axis);
    return this.tensor(shape, integers, scales, axis);
  }

  /** @param fields number in the options' table to [kind, value] */
  operator(name, inputs, shape, fields = {}) {
    if (!this.codes.includes(name)) this.codes.push(name);
    const output = this.tensor(shape);
    this.operators.push({ name, inputs, output, fields });
    return output;
  }

  table(count, fields) {
    const { builder } = this;
    builder.startObject(count);
    for (const [number, [kind, value]] of Object.entries(fields)) {
      if (kind === 'i8') builder.addFieldInt8(Number(number), value, 0);
      else if (kind === 'i32') builder.addFieldInt32(Number(number), value, 0);
      else builder.addFieldOffset(Number(number), value, 0);
    }
    return builder.endObject();
  }

  i32s(values) {
    const { builder } = this;
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addInt32(value);
    return builder.endVector();
  }

  f32s(values) {
    const { builder } = this;
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addFloat32(value);
    return builder.endVector();
  }

  i64s(values) {
    const { builder } = this;
    builder.startVector(8, values.length, 8);
    for (const value of [...values].reverse()) builder.addInt64(BigInt(value));
    return builder.endVector();
  }

  offsets(values) {
    const { builder } = this;
    builder.startVector(4, values.length, 4);
    for (const value of [...values].reverse()) builder.addOffset(value);
    return builder.endVector();
  }

  finish(input, output) {
    const { builder } = this;
    const data = this.tensors.map(({ values }) => {
      if (!values) return this.table(1, {});
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      builder.startVector(1, bytes.length, 16);
      builder.space -= bytes.length;
      builder.bb.bytes().set(bytes, builder.space);
      return this.table(1, { 0: ['offset', builder.endVector()] });
    });
    const tensors = this.tensors.map(({ shape, values, scales, axis }, index) => {
      const name = builder.createString(`t${index}`);
      const own = { 0: ['offset', this.i32s(shape)], 1: ['i8', typeOf(values)], 2: ['i32', index], 3: ['offset', name] };
      if (!scales) return this.table(5, own);
      const quantization = { 2: ['offset', this.f32s(scales)], 3: ['offset', this.i64s(scales.map(() => 0))], 6: ['i32', axis] };
      return this.table(5, { ...own, 4: ['offset', this.table(7, quantization)] });
    });
    const operators = this.operators.map(({ name, inputs, output, fields }) => {
      const own = OPTIONS[name] ? { 3: ['i8', OPTIONS[name]], 4: ['offset', this.table(8, fields)] } : {};
      const [from, to] = [this.i32s(inputs), this.i32s([output])];
      return this.table(5, { 0: ['i32', this.codes.indexOf(name)], 1: ['offset', from], 2: ['offset', to], ...own });
    });
    const codes = this.codes.map((name) => this.table(4, { 0: ['i8', CODES[name]], 2: ['i32', 1], 3: ['i32', CODES[name]] }));
    const [ins, outs] = [this.i32s([input]), this.i32s([output])];
    const graph = this.table(4, {
      0: ['offset', this.offsets(tensors)],
      1: ['offset', ins],
      2: ['offset', outs],
      3: ['offset', this.offsets(operators)],
    });
    const model = this.table(5, {
      0: ['i32', 3],
      1: ['offset', this.offsets(codes)],
      2: ['offset', this.offsets([graph])],
      4: ['offset', this.offsets(data)],
    });
    builder.finish(model, 'TFL3');
    return builder.asUint8Array().slice();
  }
}

function typeOf(values) {
  if (values instanceof Int32Array) return INT32;
  if (values instanceof Int8Array) return INT8;
  return values instanceof Uint16Array ? FLOAT16 : FLOAT32;
}

/** The bits of float16, nearest; what is too small for a normal number becomes 0. */
export function toFloat16(values) {
  const bits = new Uint32Array(Float32Array.from(values).buffer);
  return Uint16Array.from(bits, (b) => {
    const magnitude = (b & 0x7fffffff) + 0x1000;
    const sign = (b >>> 16) & 0x8000;
    return magnitude < 113 << 23 ? sign : sign | ((magnitude - (112 << 23)) >>> 13);
  });
}

/** Symmetric, one scale for each step along an axis. */
function toInt8(values, shape, axis) {
  const block = shape.slice(axis + 1).reduce((product, side) => product * side, 1);
  const scales = new Array(shape[axis]).fill(1e-9);
  const at = (i) => Math.floor(i / block) % scales.length;
  values.forEach((value, i) => {
    scales[at(i)] = Math.fround(Math.max(scales[at(i)], Math.abs(value) / 127));
  });
  return { integers: Int8Array.from(values, (value, i) => Math.round(value / scales[at(i)])), scales };
}

/** [kh, kw, in, out] to [out, kh, kw, in] */
function toOutputsFirst(filter, channels) {
  const window = filter.length / channels;
  return Float32Array.from(filter, (_, i) => filter[(i % window) * channels + Math.floor(i / window)]);
}

/**
 * @param network a float network of ours, fused, and the shapes of its tensors (inferShapes)
 * @param weights how the file keeps them: in 'float32', in 'float16', or in int8 beside float activations, 'dynamicRange'
 * @returns the bytes of a .tflite file: input [1, side, side, 3], output [1, 1, 1, classes]
 */
export function tfliteModel(network, shapes, weights = 'float32') {
  const writer = new Writer();
  const of = (name) => [1, ...shapes.get(name)];
  const numbers = new Map([['input', writer.tensor(of('input'))]]);
  const number = (value) => writer.constant([1], Float32Array.of(value));
  const activate = (kind, x, shape) => {
    if (kind === 'none') return x;
    if (kind === 'sigmoid') return writer.operator('LOGISTIC', [x], shape);
    if (kind === 'swish') return writer.operator('MUL', [x, activate('sigmoid', x, shape)], shape, { 0: ['i8', FUSED.none] });
    if (kind !== 'hardSigmoid') return writer.operator({ hardSwish: 'HARD_SWISH', relu: 'RELU', relu6: 'RELU6' }[kind], [x], shape);
    const shifted = writer.operator('ADD', [x, number(3)], shape, { 0: ['i8', FUSED.relu6] });
    return writer.operator('MUL', [shifted, number(1 / 6)], shape, { 0: ['i8', FUSED.none] });
  };
  for (const node of network.graph.nodes) {
    const shape = of(node.name);
    let [x, other] = node.inputs.map((name) => numbers.get(name));
    if (node.kind === 'conv') {
      const { filter, bias } = network.weights.get(node.name);
      const [height, width] = node.kernel;
      const depthwise = node.groups > 1;
      let padding = node.padding === 'same' ? SAME : VALID;
      if (Array.isArray(node.padding) && node.padding.some((p) => p > 0)) {
        const [top, bottom, left, right] = node.padding;
        const [, h, w, c] = of(node.inputs[0]);
        if (node.strides[0] * node.strides[1] === 1 && top + bottom === height - 1 && left + right === width - 1) padding = SAME;
        else {
          const pads = writer.constant([4, 2], Int32Array.of(0, 0, top, bottom, left, right, 0, 0));
          x = writer.operator('PAD', [x, pads], [1, h + top + bottom, w + left + right, c]);
        }
      }
      const fused = !other && node.activation in FUSED;
      const kernel = depthwise
        ? writer.kept(weights, [1, height, width, node.channels], filter, 3)
        : writer.kept(weights, [node.channels, height, width, node.inputChannels], toOutputsFirst(filter, node.channels), 0);
      const strides = { 0: ['i8', padding], 1: ['i32', node.strides[1]], 2: ['i32', node.strides[0]] };
      const activation = ['i8', fused ? FUSED[node.activation] : FUSED.none];
      const one = ['i32', 1];
      const fields = depthwise ? { ...strides, 3: one, 4: activation, 5: one, 6: one } : { ...strides, 3: activation, 4: one, 5: one };
      const inputs = [x, kernel, writer.kept(weights, [node.channels], bias)];
      x = writer.operator(depthwise ? 'DEPTHWISE_CONV_2D' : 'CONV_2D', inputs, shape, fields);
      if (other !== undefined) x = writer.operator('ADD', [x, other], shape, { 0: ['i8', FUSED[node.activation]] });
      else if (!fused) x = activate(node.activation, x, shape);
    } else if (node.kind === 'globalAveragePool') {
      x = writer.operator('MEAN', [x, writer.constant([2], Int32Array.of(1, 2))], shape, { 0: ['i8', 1] });
    } else if (node.kind === 'multiply') x = writer.operator('MUL', [x, other], shape, { 0: ['i8', FUSED.none] });
    else if (node.kind === 'add') x = writer.operator('ADD', [x, other], shape, { 0: ['i8', FUSED[node.activation]] });
    else if (node.kind === 'activation') x = activate(node.activation, x, shape);
    else throw new Error(`${node.kind} has no form in TensorFlow Lite here.`);
    numbers.set(node.name, x);
  }
  return writer.finish(numbers.get('input'), numbers.get(network.graph.nodes.at(-1).name));
}
