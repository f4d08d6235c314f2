import { OutOfMemoryError } from '../errors.js';

/** Pages that a memory may grow to: 1 GiB, far above any network of the family, far below what breaks a page. */
const MOST_PAGES = 16384;
/**
 * Of memory that threads share, the most first: 256, 128 and 64 MiB. Engines reserve it whole when it is made, because it may not move;
 * phones refuse much.
 */
const MOST_SHARED_PAGES = [4096, 2048, 1024];

export interface EngineMemory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  readonly mostPages: number;
}

function made(maximum: number, shared: boolean): EngineMemory | undefined {
  try {
    return { memory: new WebAssembly.Memory({ initial: 1, maximum, shared }), shared, mostPages: maximum };
  } catch {
    return undefined; // a RangeError: the address space or the engine's own limit
  }
}

/** Memory that threads share, as large as the engine gives; undefined where it gives none. */
export function sharedMemory(): EngineMemory | undefined {
  for (const pages of MOST_SHARED_PAGES) {
    const memory = made(pages, true);
    if (memory) return memory;
  }
  return undefined;
}

/** @throws OutOfMemoryError where the engine gives none */
export function ownMemory(): EngineMemory {
  const memory = made(MOST_PAGES, false);
  if (memory) return memory;
  throw new OutOfMemoryError(
    'out of memory: this engine gives no WebAssembly memory any more; dispose() models that are not used, or close other tabs.',
  );
}
