import type { Kernels } from '../../src/kernels/index.js';

// Some of every kind of kernel on fixed inputs: run in Node and in a page, whose numbers are compared.

const values = (size: number, step: number, scale: number) =>
  Float32Array.from({ length: size }, (_, i) => (((i * step) % 97) - 48) * scale);
const bytes = (size: number, step: number) => Int8Array.from({ length: size }, (_, i) => ((i * step) % 251) - 125);

export function runKernels(kernels: Kernels): Record<string, number[]> {
  const x = { data: values(9 * 11 * 24, 31, 0.11), shape: [1, 9, 11, 24] as const };
  const pointwise = { data: values(24 * 20, 17, 0.02), shape: [1, 1, 24, 20] as const };
  const window = { data: values(25 * 24, 13, 0.03), shape: [5, 5, 1, 24] as const };
  const q = { data: bytes(9 * 11 * 24, 31), shape: [1, 9, 11, 24] as const, scale: 0.05, zeroPoint: -3 };
  const scales = Float32Array.from({ length: 24 }, (_, i) => 0.01 + i * 0.001);
  const filter = { data: bytes(25 * 24, 7), shape: [5, 5, 1, 24] as const, scale: scales };
  const output = { scale: 0.4, zeroPoint: 5, dtype: 'int8' as const };
  const dense = (inputs: number, outputs: number) => ({
    filter: { data: values(inputs * outputs, 19, 0.01), shape: [1, 1, inputs, outputs] as const },
    bias: Float32Array.from({ length: outputs }, (_, i) => i * 0.1),
  });
  const results = {
    pointwise: kernels.conv2d(x, pointwise, { activation: 'hardSwish' }),
    depthwise: kernels.conv2d(x, window, { groups: 24, strides: [2, 2], activation: 'relu6' }),
    squeezeExcite: kernels.squeezeExcite(x, { reduce: dense(24, 8), expand: dense(8, 24) }),
    softmax: kernels.softmax({ data: values(50, 7, 0.2), shape: [1, 1, 1, 50] as const }),
    resize: kernels.resizeBilinear(x, { height: 7, width: 15 }),
    depthwiseInt8: kernels.conv2dInt8(q, filter, { groups: 24, output }),
    hardSwishInt8: kernels.hardSwishInt8(q, output),
    sigmoid: kernels.sigmoid(x),
    swishInt8: kernels.swishInt8(q, output),
    sigmoidInt8: kernels.sigmoidInt8(q, { ...output, scale: 1 / 255 }),
    poolInt8: kernels.globalAveragePoolInt8(q, output),
  };
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, [...data]]));
}
