/** What the wasm exports; all numbers are pointers and counts. assembly/ documents each. */
export interface Exports extends Record<string, unknown> {
  heapBase(): number;
  zero_over_zero(zero: number): number;
  dot_bytes(a: number, b: number, target: number): void;
  execute(program: number, count: number, thread: number, threads: number): void;
  pack_dense_i8(
    source: number,
    target: number,
    sums: number,
    kernelHeight: number,
    kernelWidth: number,
    inputChannels: number,
    sourceChannels: number,
    channels: number,
    run: number,
    zeroPoint: number,
    elementBytes: number,
  ): void;
  pack_scales(
    scales: number,
    gateScales: number,
    channels: number,
    inputScale: number,
    inputScales: number,
    outputScale: number,
    outputScales: number,
    gain: number,
  ): void;
  pack_depthwise_i8(
    source: number,
    target: number,
    sums: number,
    kernelHeight: number,
    kernelWidth: number,
    channels: number,
    zeroPoint: number,
  ): void;
  resize_horizontal(
    input: number,
    output: number,
    height: number,
    sourceWidth: number,
    channels: number,
    width: number,
    table: number,
    taps: number,
  ): void;
  resize_vertical_normalize(
    input: number,
    output: number,
    width: number,
    height: number,
    table: number,
    taps: number,
    scaleAndOffset: number,
  ): void;
  f32_resize(
    input: number,
    output: number,
    sourceWidth: number,
    channels: number,
    height: number,
    width: number,
    rows: number,
    rowTaps: number,
    columns: number,
    columnTaps: number,
  ): void;
}
