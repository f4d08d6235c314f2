/** What an engine may lack. The smallest modules that validate only where a feature is there: a function of one instruction. */
const bytesOf = (...body: number[]) =>
  // prettier-ignore
  new Uint8Array([
    0,
    97,
    115,
    109,
    1,
    0,
    0,
    0,
    1,
    5,
    1,
    96,
    0,
    1,
    123,
    3,
    2,
    1,
    0,
    10,
    body.length + 4,
    1,
    body.length + 2,
    0,
    ...body,
    11,
  ]);
const SIMD_PROBE = bytesOf(65, 0, 253, 15, 253, 98); // i32.const 0; i8x16.splat; i8x16.popcnt
const RELAXED_PROBE = bytesOf(65, 0, 253, 15, 65, 0, 253, 15, 253, 128, 2); // i8x16.relaxed_swizzle

export interface Features {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  readonly threads: boolean;
  readonly crossOriginIsolated: boolean;
}

/** What this engine can do; nothing is compiled or kept. */
export function detectFeatures(): Features {
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  const node = typeof process !== 'undefined' && Boolean(process.versions?.node);
  const shared = typeof SharedArrayBuffer !== 'undefined';
  return {
    simd: WebAssembly.validate(SIMD_PROBE),
    relaxedSimd: WebAssembly.validate(RELAXED_PROBE),
    threads: shared && (node || isolated === true),
    crossOriginIsolated: node || isolated === true,
  };
}
