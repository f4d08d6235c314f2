import { AbortError } from './errors.js';

export const throwIfAborted = (signal: AbortSignal | undefined) => {
  if (signal?.aborted) throw new AbortError(signal.reason);
};
