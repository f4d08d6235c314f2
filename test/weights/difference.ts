/** The largest difference in units of the expected values' size, their root mean square. */
export function difference(actual: ArrayLike<number>, expected: Float32Array): number {
  const size = Math.sqrt(expected.reduce((sum, x) => sum + x * x, 0) / expected.length);
  return expected.reduce((most, x, i) => Math.max(most, Math.abs(x - (actual[i] as number))), 0) / size;
}
