// A network of ours as an ONNX model, for the peers that read one: the nodes that torch.onnx.export writes, batch norm
// folded, in NCHW. Given ranges, it also writes the QDQ form (a QuantizeLinear and DequantizeLinear pair around every
// tensor, one scale a tensor, weights per channel), as onnxruntime's quantize_static makes it.
import proto from 'onnx-proto';

const { onnx } = proto;

const { FLOAT, INT8, UINT8 } = onnx.TensorProto.DataType;
const { INT, INTS, FLOAT: REAL } = onnx.AttributeProto.AttributeType;
const OPSET = 17;

const ints = (name, values) => ({ name, type: INTS, ints: values });
const int = (name, value) => ({ name, type: INT, i: value });
const real = (name, value) => ({ name, type: REAL, f: value });
const bytesOf = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** [kh, kw, in, out] to [out, in, kh, kw] */
function toOutputsFirst(filter, [height, width], inputs, outputs) {
  const result = new filter.constructor(filter.length);
  for (let tap = 0, from = 0; tap < height * width; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++, from++) result[(o * inputs + i) * height * width + tap] = filter[from];
    }
  }
  return result;
}

/** Symmetric padding as it is; TensorFlow's 'same' by its name in ONNX. */
function padding(node) {
  if (node.padding === 'same')
    return { name: 'auto_pad', type: onnx.AttributeProto.AttributeType.STRING, s: new TextEncoder().encode('SAME_UPPER') };
  const [top, bottom, left, right] = node.padding === 'valid' ? [0, 0, 0, 0] : node.padding;
  return ints('pads', [top, left, bottom, right]);
}

class Builder {
  nodes = [];
  initializers = [];

  constructor(ranges) {
    this.ranges = ranges;
  }

  constant(name, dataType, dims, values) {
    this.initializers.push({ name, dataType, dims, rawData: bytesOf(values) });
    return name;
  }

  node(opType, input, output, attribute = []) {
    this.nodes.push({ opType, name: output, input, output: [output], attribute });
    return output;
  }

  /** The tensor through 8 bits, where ranges are known. */
  quantized(name, range = this.ranges?.get(name)) {
    if (!range) return name;
    const low = Math.min(0, range[0]);
    const high = Math.max(0, range[1], low + 1e-6);
    const scale = this.constant(`${name}.scale`, FLOAT, [], Float32Array.of((high - low) / 255));
    const zero = this.constant(`${name}.zero`, UINT8, [], Uint8Array.of(Math.round((-low / (high - low)) * 255)));
    this.node('QuantizeLinear', [name, scale, zero], `${name}.q`);
    return this.node('DequantizeLinear', [`${name}.q`, scale, zero], `${name}.dq`);
  }

  filter(node, { filter }) {
    const inputs = node.inputChannels / node.groups;
    const dims = [node.channels, inputs, ...node.kernel];
    const values = toOutputsFirst(filter, node.kernel, inputs, node.channels);
    const name = `${node.name}.filter`;
    if (!this.ranges) return this.constant(name, FLOAT, dims, values);
    const size = values.length / node.channels;
    const scales = Float32Array.from({ length: node.channels }, (_, c) => {
      return values.subarray(c * size, (c + 1) * size).reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127 || 1e-6;
    });
    this.constant(
      `${name}.q`,
      INT8,
      dims,
      Int8Array.from(values, (w, i) => Math.round(w / scales[Math.floor(i / size)])),
    );
    this.constant(`${name}.scale`, FLOAT, [node.channels], scales);
    this.constant(`${name}.zero`, INT8, [node.channels], new Int8Array(node.channels));
    return this.node('DequantizeLinear', [`${name}.q`, `${name}.scale`, `${name}.zero`], name, [int('axis', 0)]);
  }

  activation(kind, input, output) {
    if (kind === 'none') return this.node('Identity', [input], output);
    if (kind === 'relu') return this.node('Relu', [input], output);
    if (kind === 'hardSwish') return this.node('HardSwish', [input], output);
    if (kind === 'hardSigmoid') return this.node('HardSigmoid', [input], output, [real('alpha', 1 / 6), real('beta', 0.5)]);
    const low = this.constant(`${output}.low`, FLOAT, [], Float32Array.of(0));
    const high = this.constant(`${output}.high`, FLOAT, [], Float32Array.of(6));
    return this.node('Clip', [input, low, high], output);
  }
}

/**
 * @param network a float network of ours, fused
 * @param ranges tensor name to [min, max], for the QDQ form
 * @returns the bytes of a .onnx file: input "input" [1, 3, side, side], output "logits" [1, classes]
 */
export function onnxModel(network, side, ranges) {
  const builder = new Builder(ranges);
  const names = new Map([['input', builder.quantized('input')]]);
  for (const node of network.graph.nodes) {
    const inputs = node.inputs.map((name) => names.get(name));
    const output = node.name;
    if (node.kind === 'conv') {
      const weights = network.weights.get(node.name);
      const filter = builder.filter(node, weights);
      const bias = builder.constant(`${output}.bias`, FLOAT, [node.channels], weights.bias);
      const attributes = [ints('kernel_shape', node.kernel), ints('strides', node.strides), int('group', node.groups), padding(node)];
      const plain = node.activation === 'none' && inputs.length === 1;
      let sum = builder.node('Conv', [inputs[0], filter, bias], plain ? output : `${output}.sum`, attributes);
      if (inputs[1])
        sum = builder.node(
          'Add',
          [builder.quantized(sum, ranges?.get(output)), inputs[1]],
          node.activation === 'none' ? output : `${output}.add`,
        );
      if (node.activation !== 'none') builder.activation(node.activation, sum, output);
    } else if (node.kind === 'globalAveragePool') builder.node('GlobalAveragePool', inputs, output);
    else if (node.kind === 'multiply') builder.node('Mul', inputs, output);
    else if (node.kind === 'add') builder.activation(node.activation, builder.node('Add', inputs, `${output}.sum`), output);
    else if (node.kind === 'activation') builder.activation(node.activation, inputs[0], output);
    else throw new Error(`${node.kind} has no ONNX form here.`);
    names.set(output, builder.quantized(output));
  }
  builder.node('Flatten', [names.get(network.graph.nodes.at(-1).name)], 'logits', [int('axis', 1)]);
  const value = (name, dims) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: dims.map((dimValue) => ({ dimValue })) } } },
  });
  const graph = {
    name: network.graph.architecture,
    node: builder.nodes,
    initializer: builder.initializers,
    input: [value('input', [1, 3, side, side])],
    output: [value('logits', [1, network.graph.classes])],
  };
  return onnx.ModelProto.encode({
    irVersion: 8,
    opsetImport: [{ domain: '', version: OPSET }],
    producerName: 'mobilenet-v3-wasm-bench',
    graph,
  }).finish();
}
