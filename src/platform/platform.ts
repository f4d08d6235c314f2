import type { ImageSource, ModelInput, ModelSource, Pixels } from '../inputs.js';

/** A worker, as its owner sees it. */
export interface ThreadHandle {
  send(message: unknown, transfer?: readonly Transferable[]): void;
  /** `failed` hears that the worker could not start, threw or ended. */
  listen(heard: (message: unknown) => void, failed: (cause: unknown) => void): void;
  /** Whether the process waits for it. */
  ref(): void;
  unref(): void;
  terminate(): void;
}

/** The owner, as its worker sees it. */
export interface ParentThread<Message> {
  send(message: unknown, transfer: readonly Transferable[]): void;
  listen(heard: (message: Message) => void): void;
}

/** Whole files or none: what was cut off in mid-write is never read. */
export interface Cache {
  read(key: string): Promise<Uint8Array | undefined>;
  /** @throws when the disk is full or may not be written */
  write(key: string, bytes: Uint8Array): Promise<void>;
  remove(key: string): Promise<void>;
}

/** What frames come from. */
export type VideoSource = HTMLVideoElement | MediaStreamTrack;

export interface Frame {
  readonly image: HTMLVideoElement | VideoFrame;
  /** When it was shown or came: milliseconds as performance.now() counts them. */
  readonly timestamp: number;
  /** Frames that came since the last one that was taken, and were left out. */
  readonly skipped: number;
  /** Gives the frame's memory back. */
  readonly close: () => void;
}

/** The frames of a video, the newest one at any time. */
export interface Frames {
  /** The newest frame that was not taken yet, as soon as there is one; undefined where the video has ended. */
  next(signal?: AbortSignal): Promise<Frame | undefined>;
  close(): void;
}

/** What differs between Node and browsers: package.json's imports choose the file. */
export interface Platform {
  /** The bytes behind a path or URL. `onProgress` hears of bytes so far and, where known, in all. */
  readBytes(
    source: string | URL,
    options: { signal?: AbortSignal; onProgress?: (loaded: number, total?: number) => void },
  ): Promise<Uint8Array>;
  instantiate(module: WebAssembly.Module, imports: WebAssembly.Imports): Promise<{ exports: unknown }> | { exports: unknown };
  gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>;
  /** The address of a file in the folder of another. */
  beside(source: string | URL, name: string): string | URL;
  /** fetch(), by a proxy where the environment names one. */
  readonly fetch: typeof fetch;
  /** An environment variable. */
  setting(name: string): string | undefined;
  /** Files that were downloaded, by names of letters, digits, `.`, `_`, `-`, `@` and `/`. */
  readonly cache: Cache;
  /** How many threads can run at once. */
  parallelism(): number;
  /** A page's main thread must not block. */
  readonly mainThreadMaySleep: boolean;
  /** Whether a worker may well start workers of its own: in browsers it had better ask the page to. */
  readonly nestsThreads: boolean;
  /** A worker that runs a script given as text. */
  startThread(source: string): ThreadHandle;
  /** A worker that runs src/worker/start.ts; where none can start, this rejects or the handle's listener hears of it. */
  startModelWorker(): Promise<ThreadHandle>;
  wrapWorker(worker: Worker): ThreadHandle;
  parentThread<Message>(): ParentThread<Message>;
  /** An input as a message can carry it to a worker. `give`: what the caller holds may go along. */
  portable(input: ModelInput, give: boolean, signal?: AbortSignal): Promise<{ value: ModelInput; transfer: readonly Transferable[] }>;
  /** A source that means the same in a worker, whose own address is another. */
  absolute(source: ModelSource): ModelSource;
  /** Decodes an image that is not pixels yet. */
  decodeImage(source: Exclude<ImageSource, Pixels | ImageData>, signal?: AbortSignal): Promise<Pixels>;
  /** @throws InputError where there are no videos, and for what is none */
  frames(video: VideoSource): Promise<Frames>;
}

/** The memory behind an input that can be given away; shared memory cannot. */
export function buffersOf(input: unknown): ArrayBuffer[] {
  const data = (input as { data?: unknown }).data ?? input;
  const buffer = ArrayBuffer.isView(data) ? data.buffer : data;
  // Not by instanceof: it may come from another frame.
  return Object.prototype.toString.call(buffer) === '[object ArrayBuffer]' ? [buffer as ArrayBuffer] : [];
}
