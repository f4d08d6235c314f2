import { ModelFormatError } from '../errors.js';
import type { Network } from '../graph/network.js';
import { optional, type Source } from '../source/source.js';
import { type CheckpointOptions, conventionOf, readCheckpoint } from './checkpoint.js';
import { isNative, readNative } from './native.js';
import type { TensorFile } from './tensors.js';

/** Named tensors, whatever file they came in: this package's own, or a training framework's. */
export async function readNamed(file: TensorFile, source: Source, options: CheckpointOptions): Promise<Network> {
  if (isNative(file)) return readNative(file);
  const convention = conventionOf(file);
  if (convention) {
    const config = source.listed ? await optional(source, 'config.json') : undefined;
    return readCheckpoint(file, convention, options, config && new TextDecoder().decode(config));
  }
  const names = [...file.tensors.keys()].slice(0, 3).join(', ');
  throw new ModelFormatError(`the tensors' names (${names || 'none'}) are neither torchvision's, timm's nor this package's.`);
}
