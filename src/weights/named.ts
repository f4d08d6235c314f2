import { ModelFormatError } from '../errors.js';
import type { Network } from '../graph/network.js';
import { optional } from '../source/source.js';
import type { Source } from '../source/types.js';
import { type CheckpointOptions, conventionOf, readCheckpoint } from './checkpoint.js';
import { isNative, readNative } from './native-reader.js';
import type { TensorFile } from './tensors.js';

/** The filter of the stem, in each convention. */
const FIRST = /(^|\.)(?:features\.0\.0|layers\.0|conv_stem|first_conv\.conv)\.weight$/;

/** Training scripts wrap a network in another: backbone.features.0.0.weight. */
function unwrapped(file: TensorFile): TensorFile {
  const first = [...file.tensors.keys()].find((name) => FIRST.test(name));
  const prefix = first?.replace(FIRST, '$1');
  if (!prefix) return file;
  const short = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  return { ...file, tensors: new Map([...file.tensors].map(([name, tensor]) => [short(name), tensor])) };
}

/** Named tensors, whatever file they came in: this package's own, or a training framework's. */
export async function readNamed(given: TensorFile, source: Source, options: CheckpointOptions): Promise<Network> {
  if (isNative(given)) return readNative(given);
  const file = unwrapped(given);
  const convention = conventionOf(file);
  if (convention) {
    const config = source.listed ? await optional(source, 'config.json') : undefined;
    return readCheckpoint(file, convention, options, config && new TextDecoder().decode(config));
  }
  const names = [...file.tensors.keys()].slice(0, 3).join(', ');
  throw new ModelFormatError(
    `the tensors' names (${names || 'none'}) are neither torchvision's, timm's, ProxylessNAS's nor this package's.`,
  );
}
