// In WebAssembly because all weights pass here before the first inference, when no JavaScript is compiled yet.

/**
 * Lays a dense int8 filter out as the quantized kernels read it (pointwise/q16.ts), and sums each channel's magnitudes:
 * what a 32-bit sum of its products can come to at most.
 *
 * @param source i8 [kernelHeight][kernelWidth][inputChannels][channels]
 * @param target i16, or i8 if elementBytes is 1, [channels / 8][kernelHeight][run / 2][8][2], zeros
 * @param sums i32 [channels], zeros
 */
export function pack_dense_i8(
  source: usize, target: usize, sums: usize,
  kernelHeight: i32, kernelWidth: i32, inputChannels: i32, sourceChannels: i32, channels: i32, run: i32, zeroPoint: i32,
  elementBytes: i32,
): void {
  const block = <usize>(kernelHeight * run * 8 * elementBytes);
  const even = ((channels & 7) | (inputChannels & 1) | (sourceChannels & 1)) == 0;
  for (let tap = 0; tap < kernelHeight * kernelWidth; tap++) {
    const first = (tap / kernelWidth) * run + (tap % kernelWidth) * sourceChannels;
    if (even) {
      for (let i = 0; i < inputChannels; i += 2, source += channels) {
        packPair(source, target + <usize>((first + i) * 8 * elementBytes), sums, channels, block, zeroPoint, elementBytes);
        source += channels;
      }
      continue;
    }
    for (let i = 0; i < inputChannels; i++) {
      const k = first + i;
      const row = target + <usize>(((k & ~1) * 8 + (k & 1)) * elementBytes);
      for (let n = 0; n < channels; n++) {
        const w = <i32>load<i8>(source++) - zeroPoint;
        const at = row + <usize>(n >> 3) * block + <usize>((n & 7) * 2 * elementBytes);
        if (elementBytes == 1) store<i8>(at, <i8>w);
        else store<i16>(at, <i16>w);
        addMagnitude(sums, n, w);
      }
    }
  }
}

/** Two input channels, eight output channels at a time. */
// @ts-ignore: decorator
@inline
function packPair(
  source: usize, target: usize, sums: usize, channels: i32, block: usize, zeroPoint: i32, elementBytes: i32,
): void {
  const zero = i16x8.splat(<i16>zeroPoint);
  for (let n = 0; n < channels; n += 8, source += 8, target += block, sums += 32) {
    const a = i16x8.sub(v128.load_ext<i8>(source), zero);
    const b = i16x8.sub(v128.load_ext<i8>(source + channels), zero);
    const low = v128.shuffle<i16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
    const high = v128.shuffle<i16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
    if (elementBytes == 1) {
      v128.store(target, i8x16.narrow_i16x8_s(low, high));
    } else {
      v128.store(target, low);
      v128.store(target, high, 16);
    }
    const magnitudes = i16x8.add(i16x8.abs(a), i16x8.abs(b));
    v128.store(sums, i32x4.add(v128.load(sums), i32x4.extend_low_i16x8_s(magnitudes)));
    v128.store(sums, i32x4.add(v128.load(sums, 16), i32x4.extend_high_i16x8_s(magnitudes)), 16);
  }
}

// @ts-ignore: decorator
@inline
function addMagnitude(sums: usize, channel: i32, w: i32): void {
  const sum = sums + <usize>(channel << 2);
  store<i32>(sum, load<i32>(sum) + (w < 0 ? -w : w));
}

/**
 * What turns sums into the output's steps, and h-swish's second factor (requantize.ts). A tensor has one scale, or one a
 * channel at a pointer that is not 0. The product is rounded to float32 before it is divided, as in XNNPACK and in onnxruntime: a
 * network whose values tie often gives other answers with a scale that differs in its last bit.
 *
 * @param scales f32 [channels], the filter's; overwritten
 * @param gateScales f32 [channels]
 */
export function pack_scales(
  scales: usize, gateScales: usize, channels: i32,
  inputScale: f64, inputScales: usize, outputScale: f64, outputScales: usize, gain: f64,
): void {
  for (let at: usize = 0; at < <usize>channels * 4; at += 4) {
    const sum = (inputScales ? <f64>load<f32>(inputScales + at) : inputScale) * <f64>load<f32>(scales + at);
    const scale = <f32>((<f64>(<f32>sum) * gain) / (outputScales ? <f64>load<f32>(outputScales + at) : outputScale));
    store<f32>(scales + at, scale);
    store<f32>(gateScales + at, <f32>(<f64>scale * (sum / 6)));
  }
}

/**
 * pack_dense_i8's like for a depthwise filter (depthwise/q16.ts).
 *
 * @param source i8 [kernelHeight][kernelWidth][channels]
 * @param target i16 [channels / 4][ceil(kernelHeight / 2)][kernelWidth][4][2], zeros
 */
export function pack_depthwise_i8(
  source: usize, target: usize, sums: usize, kernelHeight: i32, kernelWidth: i32, channels: i32, zeroPoint: i32,
): void {
  const block = ((kernelHeight + 1) >> 1) * kernelWidth * 16;
  for (let ky = 0; ky < kernelHeight; ky++) {
    for (let kx = 0; kx < kernelWidth; kx++) {
      const tap = target + <usize>(((ky >> 1) * kernelWidth + kx) * 16 + (ky & 1) * 2);
      for (let c = 0; c < channels; c++) {
        const w = <i32>load<i8>(source++) - zeroPoint;
        store<i16>(tap + <usize>((c >> 2) * block + (c & 3) * 4), <i16>w);
        addMagnitude(sums, c, w);
      }
    }
  }
}
