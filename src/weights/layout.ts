/** [out, in, height, width] to [height, width, in, out]. */
export function toChannelsLast<T extends Float32Array | Int8Array>(
  filter: T,
  [out, inputs, height, width]: readonly [number, number, number, number],
): T {
  const result = filter.slice() as T;
  const area = height * width;
  for (let o = 0, from = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let tap = 0; tap < area; tap++, from++) result[(tap * inputs + i) * out + o] = filter[from] as number;
    }
  }
  return result;
}

/** [height, width, in, out] to [out, in, height, width]. */
export function toChannelsFirst<T extends Float32Array | Int8Array | Int16Array>(
  filter: T,
  [height, width]: readonly [number, number],
  channels: number,
): T {
  const inputs = filter.length / (height * width * channels);
  const result = filter.slice() as T;
  for (let tap = 0, from = 0; tap < height * width; tap++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < channels; o++, from++) result[(o * inputs + i) * height * width + tap] = filter[from] as number;
    }
  }
  return result;
}

/** Rows that go channel by channel, to rows that go pixel by pixel. */
export function pixelByPixel(matrix: Float32Array, area: number, channels: number): Float32Array {
  if (area === 1) return matrix;
  const filter = new Float32Array(matrix.length);
  const depth = matrix.length / area / channels;
  for (let c = 0, from = 0; c < depth; c++) {
    for (let tap = 0; tap < area; tap++) {
      for (let o = 0; o < channels; o++) filter[(tap * depth + c) * channels + o] = matrix[from++] as number;
    }
  }
  return filter;
}

/** [rows, columns] to [columns, rows]. */
export function turned<T extends Float32Array | Int8Array>(values: T, rows: number, columns: number): T {
  const result = values.slice() as T;
  for (let r = 0, from = 0; r < rows; r++) for (let c = 0; c < columns; c++, from++) result[c * rows + r] = values[from] as number;
  return result;
}
