import type { ConvOptions, DenseLayer, QDenseLayer, QFilter, QTensor, QuantParams, Tensor } from '../../src/kernels/index.js';

// Every kernel once more as plain loops, straight from its definition: what the wasm kernels are tested against.

type Shape = Tensor['shape'];
const sizeOf = (shape: Shape) => shape.reduce((product, side) => product * side, 1);
const at = (values: number | ArrayLike<number>, c: number) => (typeof values === 'number' ? values : (values[c] as number));

/** Applies f at every place of a new tensor. */
export function make(shape: Shape, f: (n: number, y: number, x: number, c: number) => number): Tensor {
  const data = new Float32Array(sizeOf(shape));
  let i = 0;
  for (let n = 0; n < shape[0]; n++)
    for (let y = 0; y < shape[1]; y++) for (let x = 0; x < shape[2]; x++) for (let c = 0; c < shape[3]; c++) data[i++] = f(n, y, x, c);
  return { data, shape };
}

export const read = (
  { data, shape: [, h, w, channels] }: Pick<Tensor | QTensor, 'data' | 'shape'>,
  n: number,
  y: number,
  x: number,
  c: number,
) => data[((n * h + y) * w + x) * channels + c] as number;

export const clamp = (x: number, low: number, high: number) => Math.min(Math.max(x, low), high);
export const activations = {
  none: (x: number) => x,
  relu: (x: number) => Math.max(x, 0),
  relu6: (x: number) => clamp(x, 0, 6),
  hardSigmoid: (x: number) => clamp(x + 3, 0, 6) / 6,
  hardSwish: (x: number) => (x * clamp(x + 3, 0, 6)) / 6,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  swish: (x: number) => x / (1 + Math.exp(-x)),
};

export const map = (x: Tensor, f: (value: number) => number): Tensor => ({ data: x.data.map(f), shape: x.shape });

/** Output size and the padding before, along one side. */
function extent(
  input: number,
  kernel: number,
  stride: number,
  padding: ConvOptions['padding'],
  side: 0 | 1,
): [size: number, before: number] {
  if (padding === 'valid') return [Math.floor((input - kernel) / stride) + 1, 0];
  if (padding === undefined || padding === 'same') {
    const size = Math.ceil(input / stride);
    return [size, Math.floor(Math.max((size - 1) * stride + kernel - input, 0) / 2)];
  }
  const [before, after] = [padding[side * 2] as number, padding[side * 2 + 1] as number];
  return [Math.floor((input + before + after - kernel) / stride) + 1, before];
}

/** The sum of a convolution at every place, of values that `value` and `weight` give. */
export function convolve(
  x: Pick<Tensor | QTensor, 'data' | 'shape'>,
  filter: Pick<Tensor | QFilter, 'shape'>,
  { strides = [1, 1], padding, groups = 1 }: ConvOptions,
  value: (n: number, y: number, x: number, c: number) => number,
  weight: (ky: number, kx: number, c: number, o: number) => number,
  finish: (sum: number, channel: number) => number,
): Tensor {
  const [n, h, w] = x.shape;
  const [kh, kw, perGroup, outputs] = filter.shape;
  const [height, top] = extent(h, kh, strides[0], padding, 0);
  const [width, left] = extent(w, kw, strides[1], padding, 1);
  return make([n, height, width, outputs], (image, oy, ox, o) => {
    let sum = 0;
    const first = groups === 1 ? 0 : o;
    for (let ky = 0; ky < kh; ky++) {
      for (let kx = 0; kx < kw; kx++) {
        const [y, col] = [oy * strides[0] - top + ky, ox * strides[1] - left + kx];
        if (y < 0 || y >= h || col < 0 || col >= w) continue;
        for (let c = 0; c < perGroup; c++) sum += value(image, y, col, first + c) * weight(ky, kx, c, o);
      }
    }
    return finish(sum, o);
  });
}

const filterAt = ({ data, shape: [, kw, perGroup, outputs] }: Tensor | QFilter, ky: number, kx: number, c: number, o: number) =>
  data[((ky * kw + kx) * perGroup + c) * outputs + o] as number;

export function conv2d(x: Tensor, filter: Tensor, options: ConvOptions = {}): Tensor {
  const activate = activations[options.activation ?? 'none'];
  return convolve(
    x,
    filter,
    options,
    (n, y, col, c) => read(x, n, y, col, c),
    (ky, kx, c, o) => filterAt(filter, ky, kx, c, o),
    (sum, o) => activate(sum + (options.bias?.[o] ?? 0)),
  );
}

export function globalAveragePool(x: Tensor): Tensor {
  const [n, h, w, c] = x.shape;
  return make([n, 1, 1, c], (image, _y, _x, channel) => {
    let sum = 0;
    for (let y = 0; y < h; y++) for (let col = 0; col < w; col++) sum += read(x, image, y, col, channel);
    return sum / (h * w);
  });
}

export const binary = (a: Tensor, b: Tensor, f: (a: number, b: number) => number): Tensor =>
  make(a.shape, (n, y, x, c) =>
    f(read(a, n, y, x, c), b.shape[1] === a.shape[1] && b.shape[2] === a.shape[2] ? read(b, n, y, x, c) : read(b, n, 0, 0, c)),
  );

export function softmax(x: Tensor): Tensor {
  const channels = x.shape[3];
  const sums = make([x.shape[0], x.shape[1], x.shape[2], 2], (n, y, col, which) => {
    const pixel = Array.from({ length: channels }, (_, c) => read(x, n, y, col, c));
    const highest = Math.max(...pixel);
    return which === 0 ? highest : pixel.reduce((sum, v) => sum + Math.exp(v - highest), 0);
  });
  return make(x.shape, (n, y, col, c) => Math.exp(read(x, n, y, col, c) - read(sums, n, y, col, 0)) / read(sums, n, y, col, 1));
}

export function resizeBilinear(x: Tensor, { height, width }: { height: number; width: number }): Tensor {
  const [n, h, w, c] = x.shape;
  const side = (target: number, size: number, source: number) => {
    const centre = clamp(((target + 0.5) * source) / size - 0.5, 0, source - 1);
    const low = Math.floor(centre);
    return [low, Math.min(low + 1, source - 1), centre - low] as const;
  };
  return make([n, height, width, c], (image, y, col, channel) => {
    const [y0, y1, fy] = side(y, height, h);
    const [x0, x1, fx] = side(col, width, w);
    const value = (row: number, column: number) => read(x, image, row, column, channel);
    return (1 - fy) * ((1 - fx) * value(y0, x0) + fx * value(y0, x1)) + fy * ((1 - fx) * value(y1, x0) + fx * value(y1, x1));
  });
}

export function squeezeExcite(x: Tensor, { reduce, expand }: { reduce: DenseLayer; expand: DenseLayer }): Tensor {
  const layer = (input: Tensor, { filter, bias }: DenseLayer, activation: ConvOptions['activation']) =>
    conv2d(input, filter, { ...(bias ? { bias } : {}), ...(activation ? { activation } : {}) });
  return binary(x, layer(layer(globalAveragePool(x), reduce, 'relu'), expand, 'hardSigmoid'), (a, b) => a * b);
}

// --- integers

/** Rounds half to even, as wasm's f32x4.nearest does. */
export function nearest(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

const RANGE = { int8: [-128, 127], uint8: [0, 255] } as const;
const f = Math.fround;

function store(values: ArrayLike<number>, shape: Shape, { dtype, scale, zeroPoint }: QuantParams): QTensor {
  const [low, high] = RANGE[dtype];
  const channels = shape[3];
  const bytes = Array.from(values, (q, i) => clamp(q + at(zeroPoint, i % channels), low, high));
  return { data: dtype === 'int8' ? Int8Array.from(bytes) : Uint8Array.from(bytes), shape, scale, zeroPoint };
}

export function quantize(x: Tensor, params: QuantParams): QTensor {
  const channels = x.shape[3];
  const q = Array.from(x.data, (value, i) =>
    Number.isNaN(value) ? 0 : clamp(nearest(f(value * f(1 / at(params.scale, i % channels)))), -32767, 32767),
  );
  return store(q, x.shape, params);
}

export function dequantize(x: QTensor): Tensor {
  const channels = x.shape[3];
  return {
    data: Float32Array.from(x.data, (q, i) => f((q - at(x.zeroPoint, i % channels)) * f(at(x.scale, i % channels)))),
    shape: x.shape,
  };
}

const scaleAt = (q: QTensor | QFilter | QuantParams, c: number) => f(at(q.scale, c));

/** x * scale * h-sigmoid, in the units of the output: the scale is inside the clamp. */
export const scaledHardSwish = (x: number, scale: number, gateScale: number) => f(x * clamp(f(f(x * gateScale) + f(scale / 2)), 0, scale));

/** q = clamp(round(f32(sum) * m)), m = f32(f32(input scale x filter scale) / output scale), each step one float32 operation. */
export function conv2dInt8(x: QTensor, filter: QFilter, options: ConvOptions & { readonly output: QuantParams }): QTensor {
  const { output, bias, groups = 1, activation = 'none' } = options;
  const unit = (o: number) => scaleAt(x, groups === 1 ? 0 : o) * scaleAt(filter, o);
  const integerBias = (o: number) => (bias instanceof Int32Array ? (bias[o] as number) : Math.round((bias?.[o] ?? 0) / unit(o)));
  const lanes = convolve(
    x,
    filter,
    options,
    (n, y, col, c) => read(x, n, y, col, c) - at(x.zeroPoint, c),
    (ky, kx, c, o) => filterAt(filter, ky, kx, c, o) - at(filter.zeroPoint ?? 0, o),
    (exact, o) => {
      const out = scaleAt(output, o);
      const sum = f(exact + integerBias(o) + (activation === 'hardSigmoid' ? Math.round(3 / unit(o)) : 0));
      const scale = f((f(unit(o)) * (activation === 'hardSigmoid' ? 1 / 6 : 1)) / out);
      const y = activation === 'hardSwish' ? scaledHardSwish(sum, scale, f(scale * (unit(o) / 6))) : f(sum * scale);
      const ceiling = { relu6: 6, hardSigmoid: 1 }[activation as string] ?? Number.POSITIVE_INFINITY;
      const floor = activation === 'none' || activation === 'hardSwish' ? -32767 : 0;
      return clamp(nearest(y), floor, Math.min(Math.round(ceiling / out), 32767));
    },
  );
  return store(lanes.data, lanes.shape, output);
}

export function hardSwishInt8(x: QTensor, output: QuantParams): QTensor {
  const channels = x.shape[3];
  const lanes = Array.from(x.data, (q, i) => {
    const c = i % channels;
    const v = q - at(x.zeroPoint, c);
    const [own, out] = [scaleAt(x, c), scaleAt(output, c)];
    return clamp(nearest(scaledHardSwish(v, f(own / out), f(own ** 2 / 6 / out))), -32767, 32767);
  });
  return store(lanes, x.shape, output);
}

/** The sigmoid of assembly/arithmetic.ts, each step one float32 operation. */
export function sigmoidInSteps(x: number): number {
  const t = clamp(-x, -88, f(88.8));
  const n = nearest(f(t * f(Math.LOG2E)));
  const r = f(f(t - f(n * f(0.693359375))) - f(n * f(-2.1219444e-4)));
  const [first, ...rest] = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1].map(f);
  const p = rest.reduce((sum, c) => f(f(sum * r) + c), first as number);
  const e = f(f(f(f(p * f(r * r)) + r) + 1) * (n > 127 ? Number.POSITIVE_INFINITY : 2 ** n));
  return f(1 / f(1 + e));
}

export const sigmoidInt8 = (x: QTensor, output: QuantParams): QTensor => curveInt8(false, x, output);
export const swishInt8 = (x: QTensor, output: QuantParams): QTensor => curveInt8(true, x, output);

function curveInt8(swish: boolean, x: QTensor, output: QuantParams): QTensor {
  const channels = x.shape[3];
  const lanes = Array.from(x.data, (q, i) => {
    const c = i % channels;
    const v = q - at(x.zeroPoint, c);
    const [own, out] = [scaleAt(x, c), scaleAt(output, c)];
    const factor = swish ? f(v * f(own / out)) : f(1 / out);
    return clamp(nearest(f(sigmoidInSteps(f(v * own)) * factor)), -32767, 32767);
  });
  return store(lanes, x.shape, output);
}

export function addInt8(a: QTensor, b: QTensor, output: QuantParams): QTensor {
  const channels = a.shape[3];
  const lanes = Array.from(a.data, (q, i) => {
    const c = i % channels;
    const out = scaleAt(output, c);
    const left = f((q - at(a.zeroPoint, c)) * f(scaleAt(a, c) / out));
    const right = f(((b.data[i] as number) - at(b.zeroPoint, c)) * f(scaleAt(b, c) / out));
    return clamp(nearest(f(left + right)), -32767, 32767);
  });
  return store(lanes, a.shape, output);
}

/** Exact sums, then one multiplication. */
export function globalAveragePoolInt8(x: QTensor, output: QuantParams): QTensor {
  const [n, h, w, channels] = x.shape;
  const lanes = make([n, 1, 1, channels], (image, _y, _x, c) => {
    let sum = 0;
    for (let y = 0; y < h; y++) for (let col = 0; col < w; col++) sum += read(x, image, y, col, c) - at(x.zeroPoint, c);
    return clamp(nearest(f(f(sum) * f(scaleAt(x, c) / scaleAt(output, c) / (h * w)))), -32767, 32767);
  });
  return store(lanes.data, lanes.shape, output);
}

/** In real numbers: between its layers the kernel chooses its own scales. */
export function squeezeExciteInt8(x: QTensor, { reduce, expand }: { reduce: QDenseLayer; expand: QDenseLayer }): Tensor {
  const real = ({ filter, bias }: QDenseLayer): DenseLayer => ({
    filter: dequantize({ ...filter, zeroPoint: filter.zeroPoint ?? 0 } as QTensor) as DenseLayer['filter'],
    ...(bias ? { bias: bias as Float32Array } : {}),
  });
  return squeezeExcite(dequantize(x), { reduce: real(reduce), expand: real(expand) });
}
