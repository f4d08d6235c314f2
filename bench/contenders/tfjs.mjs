// tfjs on its WebAssembly backend, with the fused operations that its converter emits.

const ACTIVATION = { none: 'linear', relu: 'relu', relu6: 'relu6' };

/** @param tf tfjs-core, its wasm backend chosen and ready */
export async function tfjs(tf, name, network, side, input) {
  const weights = new Map();
  for (const node of network.graph.nodes) {
    if (node.kind !== 'conv') continue;
    const { filter, bias } = network.weights.get(node.name);
    const [height, width] = node.kernel;
    const shape = node.groups > 1 ? [height, width, node.channels, 1] : [height, width, node.inputChannels, node.channels];
    weights.set(node.name, { filter: tf.tensor4d(filter, shape), bias: tf.tensor1d(bias) });
  }
  const hardSigmoid = (x) => tf.mul(tf.relu6(tf.add(x, 3)), 1 / 6);
  const activate = (x, kind) => {
    if (kind === 'hardSwish') return tf.mul(x, hardSigmoid(x));
    if (kind === 'hardSigmoid') return hardSigmoid(x);
    if (kind === 'relu') return tf.relu(x);
    return kind === 'relu6' ? tf.relu6(x) : x;
  };
  const conv = (node, [x, residual]) => {
    const { filter, bias } = weights.get(node.name);
    const fusable = node.activation in ACTIVATION && !residual;
    const sides = node.padding === 'valid' || node.padding === 'same' ? node.padding : undefined;
    const [top, bottom, left, right] = sides ? [] : node.padding;
    const settings = {
      x,
      filter,
      bias,
      strides: [...node.strides],
      pad: sides ?? [
        [0, 0],
        [top, bottom],
        [left, right],
        [0, 0],
      ],
      ...(sides ? {} : { dimRoundingMode: 'floor' }),
      activation: fusable ? ACTIVATION[node.activation] : 'linear',
    };
    const y = node.groups > 1 ? tf.fused.depthwiseConv2d(settings) : tf.fused.conv2d(settings);
    return fusable ? y : activate(residual ? tf.add(y, residual) : y, node.activation);
  };
  const image = tf.tensor4d(input, [1, side, side, 3]);
  const forward = () =>
    tf.tidy(() => {
      const tensors = new Map([['input', image]]);
      let y = image;
      for (const node of network.graph.nodes) {
        const inputs = node.inputs.map((each) => tensors.get(each));
        if (node.kind === 'conv') y = conv(node, inputs);
        else if (node.kind === 'globalAveragePool') y = tf.mean(inputs[0], [1, 2], true);
        else if (node.kind === 'multiply') y = tf.mul(inputs[0], inputs[1]);
        else if (node.kind === 'add') y = activate(tf.add(inputs[0], inputs[1]), node.activation);
        else if (node.kind === 'activation') y = activate(inputs[0], node.activation);
        else throw new Error(`${node.kind} has no form in tfjs here.`);
        tensors.set(node.name, y);
      }
      return y;
    });
  const run = async () => {
    const logits = forward();
    const data = await logits.data();
    logits.dispose();
    return data;
  };
  return { name, run, dispose: () => image.dispose() };
}
