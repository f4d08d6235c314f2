import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { InputError, ModelFormatError, UnsupportedModelError } from '../errors.js';
import { type Fetched, fetchFromHub } from '../source/hub.js';
import { neighbour } from '../source/source.js';
import { readNetwork } from '../weights/load.js';
import { examples, jsonOption } from './options.js';
import { say, warn, writeJson } from './output.js';
import { withByteProgress } from './progress.js';

interface Options {
  readonly output?: string;
  readonly endpoint?: string;
  readonly offline?: boolean;
  readonly json?: string;
}

export const downloadCommand = () =>
  new Command('download')
    .description('fetch weights from the Hugging Face hub into the cache')
    .argument('<source>', "'hf:owner/repository', with '@revision' and '/file' if need be")
    .option('-o, --output <file>', 'write the weights here as well; convert writes them with their labels')
    .option('--endpoint <url>', 'a mirror of the hub (HF_ENDPOINT)')
    .option('--offline', 'use the cache and ask nobody (HF_HUB_OFFLINE=1)')
    .addOption(jsonOption('what was fetched'))
    .addHelpText(
      'after',
      '\nHF_TOKEN opens repositories that are not public; HTTPS_PROXY is honoured; MOBILENET_V3_CACHE is the cache folder.',
    )
    .addHelpText(
      'after',
      examples([
        'weights from the hub, into the cache and to a file',
        'download hf:timm/mobilenetv3_small_100.lamb_in1k --output small.safetensors',
      ]),
    )
    .action(download);

/** Shards, data and labels that the model names are fetched by reading it; whether we run such a network does not matter here. */
async function fetchNamed({ bytes, beside }: Fetched): Promise<void> {
  try {
    await readNetwork({ listed: true, bytes: async () => bytes, beside: async (name) => beside(neighbour(name)) });
  } catch (error) {
    if (!(error instanceof ModelFormatError || error instanceof UnsupportedModelError)) throw error;
  }
}

async function download(source: string, { output, json, ...hub }: Options): Promise<void> {
  const { bytes, key, config, cacheError } = await withByteProgress(source, async (onProgress) => {
    const fetched = await fetchFromHub(source, hub, { onProgress });
    await fetchNamed(fetched);
    return fetched;
  });
  if (output) {
    await writeFile(output, bytes).catch((cause: Error) => {
      throw new InputError(`${output} cannot be written: ${cause.message}.`, { cause });
    });
  }
  if (cacheError && !output) throw cacheError;
  if (cacheError) warn(cacheError.message);
  say(
    json,
    `${key}: ${(bytes.length / 1e6).toFixed(2)} MB${config ? ', with its config.json' : ''}${output ? `; the weights alone written to ${output}` : ''}`,
  );
  if (json) await writeJson(json, { source, file: key, bytes: bytes.length, config: config !== undefined });
}
