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
const ZEROS = [65, 0, 253, 15]; // i32.const 0; i8x16.splat
const POPCNT = [253, 98]; // i8x16.popcnt
const RELAXED_MADD = [253, 133, 2]; // f32x4.relaxed_madd
/** i32x4.relaxed_dot_i8x16_i7x16_add_s: WebKitGTK 2.50 lacks it where its switch gives the rest of relaxed SIMD. */
const RELAXED_DOT = [253, 147, 2];
const SIMD_PROBE = bytesOf(...ZEROS, ...POPCNT);
const RELAXED_PROBE = bytesOf(...ZEROS, ...ZEROS, ...ZEROS, ...RELAXED_MADD, ...ZEROS, ...ZEROS, ...RELAXED_DOT);

export interface Features {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  readonly threads: boolean;
  readonly crossOriginIsolated: boolean;
}

/**
 * What this engine can do; nothing is compiled or kept.
 *
 * @returns simd: WebAssembly SIMD, without which nothing runs; threads: shared memory, which a page has when it is cross-origin isolated
 * @example
 * if (!detectFeatures().simd) throw new Error('this browser is too old');
 */
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
