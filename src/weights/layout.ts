/** [out, in, height, width] to [height, width, in, out]. */
export function toChannelsLast(
  filter: Float32Array,
  [out, inputs, height, width]: readonly [number, number, number, number],
): Float32Array<ArrayBuffer> {
  const result = new Float32Array(filter.length);
  const area = height * width;
  for (let o = 0, from = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < area; tap++, from++) result[(tap * inputs + i) * out + o] = filter[from] as number;
    }
  }
  return result;
}
