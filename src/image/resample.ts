import type { Preprocessing } from '../graph/network.js';

/** For each output pixel: the first source pixel, and `taps` weights. As the kernels read it: u32, then f32s. */
export interface ResampleTable {
  readonly taps: number;
  readonly words: Float32Array;
}

const triangle = (x: number) => Math.max(0, 1 - Math.abs(x));
/** Keys' cubic with a = -1/2, which is Pillow's. */
const cubic = (signed: number) => {
  const x = Math.abs(signed);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
};

/**
 * Weights for resampling a line of `size` pixels to `target`, of which `count` from `first` on are wanted. When the
 * line shrinks, the filter widens with it (antialiasing), as in Pillow's precompute_coeffs and torchvision's Resize.
 */
export function resampleTable(
  size: number,
  target: number,
  first: number,
  count: number,
  interpolation: Preprocessing['interpolation'],
  antialias = true,
): ResampleTable {
  const [filter, radius] = interpolation === 'bicubic' ? [cubic, 2] : [triangle, 1];
  const scale = size / target;
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const support = radius * stretch;
  const taps = size === target ? 1 : Math.min(size, Math.ceil(support) * 2 + 1);
  const words = new Float32Array(count * (taps + 1));
  const starts = new Uint32Array(words.buffer);
  for (let i = 0; i < count; i++) {
    const center = (first + i + 0.5) * scale;
    const low = Math.max(0, Math.floor(center - support + 0.5));
    const high = Math.min(size, Math.floor(center + support + 0.5));
    const start = Math.max(0, Math.min(low, size - taps));
    const at = i * (taps + 1);
    starts[at] = start;
    if (size === target) {
      starts[at] = first + i;
      words[at + 1] = 1;
      continue;
    }
    let sum = 0;
    for (let x = low; x < high; x++) sum += filter((x + 0.5 - center) / stretch);
    for (let x = low; x < high; x++) words[at + 1 + x - start] = filter((x + 0.5 - center) / stretch) / sum;
  }
  return { taps, words };
}
