import release from '../binaries/release.js';
import { InputError, UnsupportedModelError } from '../errors.js';
import { adoptModule, runnable, type Simd, VARIANT_NAMES, type Variant } from './variants.js';

/** Modules of `mobilenet-v3-wasm-standalone/*.wasm`: one, or several by any name. */
export type Compiled = WebAssembly.Module | { readonly [variant: string]: WebAssembly.Module };

/** scripts/build-wasm.mjs writes it into each binary. */
const SECTION = 'mobilenet-v3-wasm';

// Not by instanceof: a module may come from another frame.
const isModule = (value: unknown): value is WebAssembly.Module => Object.prototype.toString.call(value) === '[object WebAssembly.Module]';

function variantOf(module: unknown): Variant {
  const [section] = isModule(module) ? WebAssembly.Module.customSections(module, SECTION) : [];
  const [name, from] = section ? new TextDecoder().decode(section).split(' ') : [];
  const variant = VARIANT_NAMES.find((known) => known === name);
  if (!variant) {
    throw new InputError(
      'compiled must be a WebAssembly.Module of the package mobilenet-v3-wasm-standalone, or an object of them; got something else.',
    );
  }
  if (from !== release) {
    throw new InputError(
      `compiled holds ${variant}.wasm of another release of mobilenet-v3-wasm; compile the one of the release that runs.`,
    );
  }
  return variant;
}

/**
 * Takes modules that the caller has compiled, for all engines from now on.
 *
 * @returns the options under which an engine runs one of them: with one thread, because several need memory that is declared as shared
 * @throws InputError for anything but modules of this release, UnsupportedModelError where none of them is what `simd` asks for
 */
export function adoptCompiled(compiled: Compiled, simd: Simd = 'auto'): { simd: Variant; threads: 1 } {
  const modules: WebAssembly.Module[] = isModule(compiled) ? [compiled] : Object.values(compiled as Record<string, WebAssembly.Module>);
  const given = new Map(modules.map((module) => [variantOf(module), module]));
  if (given.size === 0)
    throw new InputError('compiled holds no WebAssembly.Module; give those of the package mobilenet-v3-wasm-standalone.');
  for (const [variant, module] of given) adoptModule({ variant, shared: false, module });
  const found = runnable(simd).find((variant) => given.has(variant));
  if (found) return { simd: found, threads: 1 };
  const names = [...given.keys()].join(', ');
  const wanted = simd === 'auto' ? 'a module for an engine without relaxed SIMD' : `${simd}.wasm, which simd asks for`;
  throw new UnsupportedModelError(`compiled holds ${names}; it lacks ${wanted}${simd === 'auto' ? ': add baseline.wasm' : ''}.`);
}
