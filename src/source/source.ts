import platform from '#platform';
import { AbortError, InputError } from '../errors.js';
import type { ModelSource } from '../inputs.js';
import { type OnProgress, together } from './progress.js';
import type { HubOptions, Source } from './types.js';

export interface OpenOptions {
  readonly hub?: HubOptions | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** A file beside the source that need not be there. */
export async function optional(source: Source, name: string): Promise<Uint8Array | undefined> {
  try {
    return await source.beside(name);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** Bytes with nothing beside them. */
export const bytesSource = (bytes: Uint8Array): Source => ({
  listed: false,
  bytes: async () => bytes,
  beside: async (name) => {
    throw new InputError(`the model needs the file "${name}" beside it; give its path or URL, or a File[] of all its files, not bytes.`);
  },
});

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

/** Which of several files is the model: TFJS' model.json, or the one that is a weights file. */
const MODELS = [/(^|[/.-])model\.json$/, /\.(safetensors|keras|h5|hdf5|onnx|pth?|tflite)$/, /(?<!metadata|config)\.json$/];

function filesSource(files: readonly File[]): Source {
  const name = (file: File) => file.webkitRelativePath || file.name;
  const names = files.map(name);
  const chosen = files.length === 1 ? files[0] : MODELS.map((like) => files.find((file) => like.test(name(file)))).find(Boolean);
  if (!chosen)
    throw new InputError(`none of the ${files.length} files is a model: ${names.slice(0, 5).join(', ') || 'the list is empty'}.`);
  return {
    name: name(chosen),
    listed: true,
    bytes: () => bytesOf(chosen),
    beside: async (wanted) => {
      const file = files.find((candidate) => name(candidate) === wanted || name(candidate).endsWith(`/${wanted}`));
      if (!file) throw new InputError(`${name(chosen)} needs the file "${wanted}"; the files given are ${names.slice(0, 10).join(', ')}.`);
      return bytesOf(file);
    },
  };
}

/** A model file may name its neighbours, and nothing above them. TensorFlow.js' own save() writes "./model.weights.bin". */
export function neighbour(name: string): string {
  const parts = name.split('/').filter((part) => part !== '.');
  if (/[\\:]/.test(name) || parts.length === 0 || parts.some((part) => part === '' || part === '..')) {
    throw new InputError(`the model names a file "${name}" beside it; a relative path without ".." was expected.`);
  }
  return parts.join('/');
}

function addressSource(address: string | URL, { signal, onProgress }: OpenOptions): Source {
  const text = String(address);
  const begin = together(onProgress);
  const read = (file: string | URL) => platform.readBytes(file, { ...(signal ? { signal } : {}), onProgress: begin() });
  return {
    name: text.slice(text.lastIndexOf('/') + 1),
    listed: !/^https?:/.test(platform.absolute(text) as string),
    bytes: () => read(address),
    beside: (name) =>
      read(platform.beside(address, name)).catch((cause) => {
        throw cause instanceof InputError
          ? new InputError(`the model needs the file "${name}" beside it: ${cause.message}`, { cause })
          : cause;
      }),
  };
}

/** Nothing is read yet, but of the hub: what a repository holds is asked first. */
export async function openSource(source: ModelSource, options: OpenOptions = {}): Promise<Source> {
  if (options.signal?.aborted) throw new AbortError(options.signal.reason);
  const opened = await sourceOf(source, options);
  return { ...opened, beside: async (name) => opened.beside(neighbour(name)) };
}

async function sourceOf(source: ModelSource, options: OpenOptions): Promise<Source> {
  if (source instanceof Uint8Array) return bytesSource(source);
  if (source instanceof ArrayBuffer) return bytesSource(new Uint8Array(source));
  if (Array.isArray(source)) return filesSource(source as readonly File[]);
  if (typeof Blob !== 'undefined' && source instanceof Blob) {
    return { ...bytesSource(new Uint8Array()), ...('name' in source ? { name: String(source.name) } : {}), bytes: () => bytesOf(source) };
  }
  if (typeof source === 'string' && source.startsWith('hf:')) {
    const { hubSource } = await import('./hub.js');
    return hubSource(source, options.hub, options);
  }
  if (typeof source === 'string' || source instanceof URL) return addressSource(source, options);
  throw new InputError('a model is a path, a URL, a Blob, a File[], an ArrayBuffer or a Uint8Array.');
}
