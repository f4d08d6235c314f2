import { AbortError, InputError } from '../errors.js';

/** The bytes of several arrays, one after the other. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Fetches a URL, telling of progress. */
export async function fetchBytes(
  url: string | URL,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (loaded: number, total?: number) => void },
): Promise<Uint8Array> {
  try {
    const response = await fetch(url, signal ? { signal } : {});
    if (!response.ok) throw new InputError(`${url} answered ${response.status} ${response.statusText}.`);
    const total = Number(response.headers.get('content-length')) || undefined;
    const chunks: Uint8Array[] = [];
    let loaded = 0;
    const reader = response.body?.getReader();
    for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
      chunks.push(chunk.value);
      loaded += chunk.value.length;
      onProgress?.(loaded, total);
    }
    return joined(chunks);
  } catch (error) {
    if (signal?.aborted) throw new AbortError(signal.reason);
    if (error instanceof InputError) throw error;
    throw new InputError(`${url} could not be fetched: ${(error as Error).message}.`, { cause: error });
  }
}
