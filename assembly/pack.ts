/**
 * Lays a dense int8 filter out as the quantized kernels read it (pointwise/q16.ts), and sums each channel's magnitudes:
 * what a 32-bit sum of its products can come to at most. In WebAssembly because all weights pass here before the first
 * inference, when no JavaScript is compiled yet.
 *
 * @param source i8 [kernelHeight][kernelWidth][inputChannels][channels]
 * @param target i16, or i8 if elementBytes is 1, [channels / 8][kernelHeight][run / 2][8][2], zeros
 * @param sums i32 [channels], zeros
 */
export function pack_dense_i8(
  source: usize, target: usize, sums: usize,
  kernelHeight: i32, kernelWidth: i32, inputChannels: i32, sourceChannels: i32, channels: i32, run: i32, zeroPoint: i32, elementBytes: i32,
): void {
  const depth = kernelHeight * run;
  for (let tap = 0; tap < kernelHeight * kernelWidth; tap++) {
    const first = (tap / kernelWidth) * run + (tap % kernelWidth) * sourceChannels;
    for (let i = 0; i < inputChannels; i++) {
      const k = first + i;
      const row = target + <usize>(((k & ~1) * 8 + (k & 1)) * elementBytes);
      for (let n = 0; n < channels; n++) {
        const w = <i32>load<i8>(source++) - zeroPoint;
        const at = row + <usize>(((n & ~7) * depth + (n & 7) * 2) * elementBytes);
        if (elementBytes == 1) store<i8>(at, <i8>w);
        else store<i16>(at, <i16>w);
        const sum = sums + <usize>(n << 2);
        store<i32>(sum, load<i32>(sum) + (w < 0 ? -w : w));
      }
    }
  }
}
