/** An input as it lies in a plan. */
export interface Probe {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}
