import platform from '#platform';
import { AbortError, InputError } from '../errors.js';
import { joined } from '../platform/fetch.js';

/** Tries before giving up; between them it waits half a second, one, two, four. */
const TRIES = 5;
const FIRST_WAIT_MILLISECONDS = 500;
const LONGEST_WAIT_MILLISECONDS = 60_000;

export interface DownloadOptions {
  readonly token?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((loaded: number, total?: number) => void) | undefined;
  /** What an earlier download got before it was cut off. */
  readonly begun?: Uint8Array | undefined;
  /** Bytes that the whole has; an answer that claims more is refused. */
  readonly size?: number | undefined;
  /** Multiplies the waits; tests use 0. */
  readonly patience?: number | undefined;
}

/** A download that ended before the file did. */
export class IncompleteError extends InputError {
  constructor(
    message: string,
    readonly begun: Uint8Array,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const isTemporary = (status: number) => status === 408 || status === 429 || status >= 500;

function refusal(url: string, status: number, token: boolean): string {
  if (status === 401 || status === 403) {
    return token
      ? `${url} is refused (${status}): the token does not open this repository.`
      : `${url} is refused (${status}): the repository does not exist, or needs a token (HF_TOKEN, or hub: { token }).`;
  }
  return status === 404 ? `${url} does not exist (404).` : `${url} answered ${status}.`;
}

/** Milliseconds that Retry-After asks for: seconds, or a date. */
function retryAfter(header: string | null): number {
  if (!header) return 0;
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : 0;
}

function pause(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      signal?.removeEventListener('abort', aborted);
      resolve();
    }
    function aborted() {
      clearTimeout(timer);
      reject(new AbortError(signal?.reason));
    }
    signal?.addEventListener('abort', aborted, { once: true });
  });
}

/**
 * Downloads a file; what is cut off goes on where it stopped.
 *
 * @throws InputError for what a further try would not mend, IncompleteError after the last try, AbortError
 */
export async function download(url: string, options: DownloadOptions = {}): Promise<Uint8Array> {
  const { token, signal, onProgress, size, patience = 1 } = options;
  const chunks: Uint8Array[] = options.begun?.length ? [options.begun] : [];
  let loaded = options.begun?.length ?? 0;
  const restart = () => {
    chunks.length = 0;
    loaded = 0;
  };
  if (size !== undefined && loaded === size) return joined(chunks);
  if (size !== undefined && loaded > size) restart();
  let last: unknown;
  for (let attempt = 0; attempt < TRIES; attempt++) {
    let wait = attempt < TRIES - 1 ? FIRST_WAIT_MILLISECONDS * 2 ** attempt : 0;
    try {
      const headers = {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(loaded > 0 ? { range: `bytes=${loaded}-` } : {}),
      };
      const response = await platform.fetch(url, { headers, ...(signal ? { signal } : {}) });
      if (!response.ok && !isTemporary(response.status) && response.status !== 416) {
        throw new InputError(refusal(url, response.status, token !== undefined));
      }
      if (response.status === 416) restart();
      if (!response.ok) {
        wait = Math.max(wait, retryAfter(response.headers.get('retry-after')));
        throw new Error(`it answered ${response.status}`);
      }
      // A server that knows no ranges begins again.
      if (loaded > 0 && response.status !== 206) restart();
      const rest = Number(response.headers.get('content-length')) || undefined;
      const total = size ?? (rest === undefined || response.headers.has('content-encoding') ? undefined : loaded + rest);
      const reader = response.body?.getReader();
      for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader?.read()) {
        loaded += chunk.value.length;
        if (size !== undefined && loaded > size) {
          await reader?.cancel();
          throw new InputError(`${url} sends more than the ${size} bytes that the file has.`);
        }
        chunks.push(chunk.value);
        onProgress?.(loaded, total);
      }
      if (total !== undefined && loaded < total) throw new Error(`it was cut off after ${loaded} of ${total} bytes`);
      return joined(chunks);
    } catch (error) {
      if (signal?.aborted) throw new AbortError(signal.reason);
      if (error instanceof InputError) throw error;
      last = error;
    }
    if (wait > 0) await pause(Math.min(wait, LONGEST_WAIT_MILLISECONDS) * patience, signal);
  }
  const { message } = last as Error;
  throw new IncompleteError(
    `${url} could not be downloaded in ${TRIES} tries: ${message}. Check the connection and try again.`,
    joined(chunks),
    {
      cause: last,
    },
  );
}
