import platform from '#platform';
import { InputError } from '../errors.js';
import { fileAddress, HUB, infoAddress, parseHubSource } from './addresses.js';
import { type DownloadOptions, download, IncompleteError } from './download.js';
import { together } from './progress.js';
import type { HubOptions, Source } from './types.js';

export interface Fetched {
  readonly bytes: Uint8Array;
  /** The text of the config.json beside the weights. */
  readonly config?: string;
  /** The name of the file in the cache. */
  readonly key: string;
  /** Why the file could not be kept; undefined when it was. */
  readonly cacheError?: Error;
  /** Another file of the repository, of the same revision. */
  beside(name: string): Promise<Uint8Array>;
}

interface Sibling {
  readonly rfilename: string;
  readonly size?: number;
  readonly lfs?: { readonly sha256?: string };
}

interface Info {
  readonly sha: string;
  readonly siblings: readonly Sibling[];
}

/** What a repository's weights are called, the likeliest first. */
const WEIGHTS = [
  'model.safetensors',
  /\.safetensors$/,
  'pytorch_model.bin',
  /\.pth?$/,
  /\.tflite$/,
  'model.json',
  /\.onnx$/,
  /\.keras$/,
  /\.h5$/,
];
const CONFIG = 'config.json';
const LARGEST_CONFIG = 1 << 20;

/** The hub's answer is anybody's JSON. */
function checkInfo(text: string, repository: string): Info {
  let info: Partial<Info> | null = null;
  try {
    info = JSON.parse(text) as Partial<Info> | null;
  } catch {
    // Told below.
  }
  const siblings = Array.isArray(info?.siblings) ? info.siblings : undefined;
  const sound =
    typeof info?.sha === 'string' && /^[0-9a-f]{40}$/.test(info.sha) && siblings?.every((s) => typeof s?.rfilename === 'string');
  if (!sound) throw new InputError(`what the hub says of ${repository} is no description of a repository.`);
  return info as Info;
}

function choose({ siblings }: Info, repository: string, wanted: string | undefined): Sibling {
  const names = siblings.map(({ rfilename }) => rfilename);
  const found = wanted
    ? siblings.find(({ rfilename }) => rfilename === wanted)
    : WEIGHTS.map((like) => siblings.find(({ rfilename }) => (typeof like === 'string' ? rfilename === like : like.test(rfilename)))).find(
        Boolean,
      );
  if (!found)
    throw new InputError(`${repository} has no ${wanted ?? 'weights file'}; it has ${names.slice(0, 10).join(', ') || 'no files'}.`);
  return found;
}

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as BufferSource);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * A file of the hub, out of the cache or downloaded and kept there, its SHA-256 checked where the hub gives it.
 *
 * @throws InputError for an address, repository or file that does not exist, or offline for what was never downloaded
 */
export async function fetchFromHub(
  source: string,
  hub: HubOptions = {},
  { signal, onProgress, patience }: Pick<DownloadOptions, 'signal' | 'onProgress' | 'patience'> = {},
): Promise<Fetched> {
  const parsed = parseHubSource(source);
  if (!parsed) throw new InputError(`"${source}" is no address on the hub; hf:owner/repository, /file or @revision/file after it, is one.`);
  const { repository, revision } = parsed;
  const endpoint = (hub.endpoint ?? platform.setting('HF_ENDPOINT') ?? HUB).replace(/\/+$/, '');
  const token = hub.token ?? platform.setting('HF_TOKEN');
  const offline = hub.offline ?? platform.setting('HF_HUB_OFFLINE') === '1';
  const { cache } = platform;
  const ask = (url: string, more: DownloadOptions = {}) => download(url, { token, signal, patience, ...more });

  const infoKey = `${repository}/refs/${revision}.json`;
  const kept = offline ? await cache.read(infoKey) : undefined;
  if (offline && !kept)
    throw new InputError(`${source} was never downloaded, and offline nothing is fetched; run it once without --offline.`);
  const text = kept ?? (await ask(infoAddress(endpoint, repository, revision)));
  const info = checkInfo(new TextDecoder().decode(text), repository);
  const chosen = choose(info, repository, parsed.file);

  const begin = together(onProgress);
  let cacheError: Error | undefined;
  const keep = async (key: string, bytes: Uint8Array) => {
    try {
      await cache.write(key, bytes);
    } catch (error) {
      cacheError = error as Error;
    }
  };
  const fetched = async ({ rfilename, size, lfs }: Sibling): Promise<{ bytes: Uint8Array; key: string }> => {
    if (!parseHubSource(`hf:${repository}/${rfilename}`))
      throw new InputError(`${repository} has a file of the name "${rfilename}", which is refused.`);
    const key = `${repository}/${info.sha}/${rfilename}`;
    const cached = await cache.read(key);
    const wanted = lfs?.sha256;
    const progress = rfilename === CONFIG ? {} : { onProgress: begin() };
    if (cached && (!wanted || (await sha256(cached)) === wanted)) {
      progress.onProgress?.(cached.length, cached.length);
      return { bytes: cached, key };
    }
    if (offline) throw new InputError(`${rfilename} of ${source} is not in the cache, and offline nothing is fetched.`);
    const partial = `${key}.partial`;
    const begun = await cache.read(partial);
    try {
      const address = fileAddress(endpoint, repository, info.sha, rfilename);
      let bytes = await ask(address, { begun, size, ...progress });
      // What was begun may have been damaged where it lay.
      if (wanted && begun && (await sha256(bytes)) !== wanted) bytes = await ask(address, { size, ...progress });
      if (wanted && (await sha256(bytes)) !== wanted) {
        throw new InputError(`${address} has another SHA-256 than the hub gives, ${wanted}; it was damaged on its way. Try again.`);
      }
      await keep(key, bytes);
      if (begun) await cache.remove(partial);
      return { bytes, key };
    } catch (error) {
      if (error instanceof IncompleteError && error.begun.length > 0) await keep(partial, error.begun);
      throw error;
    }
  };

  const folder = chosen.rfilename.slice(0, chosen.rfilename.lastIndexOf('/') + 1);
  const beside = async (name: string): Promise<Uint8Array> => (await fetched(choose(info, repository, folder + name))).bytes;
  const weights = await fetched(chosen);
  const config = info.siblings.find(({ rfilename, size = 0 }) => rfilename === CONFIG && size <= LARGEST_CONFIG);
  const configBytes = config && (await fetched(config)).bytes;
  if (!kept) await keep(infoKey, text);
  return {
    ...weights,
    beside,
    ...(configBytes ? { config: new TextDecoder().decode(configBytes) } : {}),
    ...(cacheError ? { cacheError } : {}),
  };
}

/** A file of the hub as a source: what lies beside it is what the repository's folder has. */
export async function hubSource(
  source: string,
  hub: HubOptions | undefined,
  options: Pick<DownloadOptions, 'signal' | 'onProgress'>,
): Promise<Source> {
  const { bytes, config, key, beside } = await fetchFromHub(source, hub, options);
  const text = config === undefined ? undefined : new TextEncoder().encode(config);
  return {
    name: key.slice(key.lastIndexOf('/') + 1),
    listed: true,
    bytes: async () => bytes,
    beside: async (name) => (name === CONFIG && text ? text : beside(name)),
  };
}
