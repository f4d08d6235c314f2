import type { ImageSource, Pixels } from '../image/pixels.js';

/** A worker that runs a script given as text. */
export interface ThreadHandle {
  /** Sends a message; resolves with the first answer, rejects when the worker fails. */
  request(message: unknown): Promise<unknown>;
  /** Lets the process end while the worker sleeps. */
  unref(): void;
  terminate(): void;
}

/** What differs between Node and browsers: package.json's imports choose the file. */
export interface Platform {
  /** The bytes behind a path or URL. `onProgress` hears of bytes so far and, where known, in all. */
  readBytes(
    source: string | URL,
    options: { signal?: AbortSignal; onProgress?: (loaded: number, total?: number) => void },
  ): Promise<Uint8Array>;
  /** How many threads can run at once. */
  parallelism(): number;
  /** A page's main thread must not block. */
  readonly mainThreadMaySleep: boolean;
  startThread(source: string): ThreadHandle;
  /** Decodes an image that is not pixels yet. */
  decodeImage(source: Exclude<ImageSource, Pixels | ImageData>): Promise<Pixels>;
}
