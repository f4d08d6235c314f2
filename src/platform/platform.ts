import type { ImageSource, Pixels } from '../image/pixels.js';

/** What differs between Node and browsers: package.json's imports choose the file. */
export interface Platform {
  /** The bytes behind a path or URL. `onProgress` hears of bytes so far and, where known, in all. */
  readBytes(
    source: string | URL,
    options: { signal?: AbortSignal; onProgress?: (loaded: number, total?: number) => void },
  ): Promise<Uint8Array>;
  /** Decodes an image that is not pixels yet. */
  decodeImage(source: Exclude<ImageSource, Pixels | ImageData>): Promise<Pixels>;
}
