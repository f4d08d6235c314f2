import platform from '#platform';
import { OutOfMemoryError, UnsupportedModelError } from '../errors.js';
import { detectFeatures, type Features } from './features.js';

/** A binary of the kernels, for engines that have what it needs. */
interface VariantEntry {
  readonly name: string;
  readonly runs: (features: Features) => boolean;
  /** What the engine lacks, for an error's message. */
  readonly needs: string;
  /** Gzipped, in base64; loaded when it is wanted. */
  readonly binary: () => Promise<{ default: string }>;
}

/** The best one first. */
const VARIANTS = [
  {
    name: 'relaxed',
    runs: ({ relaxedSimd }) => relaxedSimd,
    needs: 'relaxed SIMD',
    binary: () => import('../binaries/relaxed.js'),
  },
  {
    name: 'baseline',
    runs: ({ simd }) => simd,
    needs: 'WebAssembly SIMD, which every browser since 2023 and Node since 16.4 has',
    binary: () => import('../binaries/baseline.js'),
  },
] as const satisfies readonly VariantEntry[];

export type Variant = (typeof VARIANTS)[number]['name'];
export type Simd = 'auto' | Variant;
export const VARIANT_NAMES: readonly Variant[] = VARIANTS.map(({ name }) => name);
export const SIMD_CHOICES: readonly Simd[] = ['auto', ...VARIANT_NAMES];

/** What this engine runs of what `simd` allows, the best one first. */
export function runnable(simd: Simd): Variant[] {
  const features = detectFeatures();
  return VARIANTS.filter(({ name, runs }) => (simd === 'auto' || simd === name) && runs(features)).map(({ name }) => name);
}

/** @throws UnsupportedModelError where this engine lacks what the binary needs */
export function chooseVariant(simd: Simd): Variant {
  const [found] = runnable(simd);
  if (found) return found;
  const lacking = (VARIANTS.filter(({ name }) => simd === 'auto' || simd === name).at(-1) as VariantEntry).needs;
  throw new UnsupportedModelError(`this engine has no ${lacking}${simd === 'auto' ? '' : "; use simd: 'auto'"}.`);
}

/** The memory import's limits in a binary: "env" "memory", kind 2, then the flag: 1 is "has a maximum", 3 also "shared". */
const MEMORY_IMPORT = [3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2, 1];

function withSharedMemory(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const at = binary.findIndex((_, i) => MEMORY_IMPORT.every((byte, j) => binary[i + j] === byte));
  binary[at + MEMORY_IMPORT.length - 1] = 3;
  return binary;
}

async function binaryOf(variant: Variant): Promise<Uint8Array<ArrayBuffer>> {
  const { binary } = VARIANTS.find(({ name }) => name === variant) as VariantEntry;
  const { default: gzip } = await binary();
  // The worker of a page is given the module that it was to run: scripts/build-workers.mjs leaves the binaries out.
  if (!gzip) throw new OutOfMemoryError('out of memory: this engine gives no memory that threads share; use threads: 1.');
  return platform.gunzip(Uint8Array.from(atob(gzip), (c) => c.charCodeAt(0)));
}

/** A module that was compiled on one thread, for another. */
export interface CompiledModule {
  readonly variant: Variant;
  readonly shared: boolean;
  readonly module: WebAssembly.Module;
}

const modules = new Map<string, Promise<WebAssembly.Module>>();
const keyOf = (variant: Variant, shared: boolean) => `${variant} ${shared}`;

/** Each variant is compiled once; instances share it. Threads need the same code with its memory declared as shared. */
export async function compile(variant: Variant, shared: boolean): Promise<CompiledModule> {
  const key = keyOf(variant, shared);
  let module = modules.get(key);
  if (!module) {
    module = binaryOf(variant).then((binary) => WebAssembly.compile(shared ? withSharedMemory(binary) : binary));
    modules.set(key, module);
    // The next one may find a policy that allows it, or more memory.
    module.catch(() => modules.delete(key));
  }
  return { variant, shared, module: await module };
}

/** Spares this thread the compilation. */
export function adoptModule({ variant, shared, module }: CompiledModule): void {
  modules.set(keyOf(variant, shared), Promise.resolve(module));
}
