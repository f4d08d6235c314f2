import { ModelFormatError } from '../errors.js';
import { fuse } from '../graph/fusion.js';
import type { Network } from '../graph/network.js';
import { type CheckpointOptions, conventionOf, readCheckpoint } from './checkpoint.js';
import { isNative, readNative } from './native.js';
import { isSafetensors, readSafetensors } from './safetensors.js';

/** A weights file's bytes to a network: the format is told by the bytes, never by the file's name. */
export async function readNetwork(bytes: Uint8Array, options: CheckpointOptions = {}): Promise<Network> {
  if (String.fromCharCode(...bytes.subarray(4, 8)) === 'TFL3') {
    const { readTflite } = await import('./tflite/network.js');
    const network = readTflite(bytes);
    return network.lanes.size > 0 ? network : fuse(network);
  }
  if (isSafetensors(bytes)) {
    const file = readSafetensors(bytes);
    if (isNative(file)) return readNative(file);
    const convention = conventionOf(file);
    if (convention) return fuse(readCheckpoint(file, convention, options));
    const names = [...file.tensors.keys()].slice(0, 3).join(', ');
    throw new ModelFormatError(`the tensors' names (${names || 'none'}) are neither torchvision's, timm's nor this package's.`);
  }
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new ModelFormatError(`${bytes.length} bytes that begin with "${start}" are no model; .safetensors and .tflite files are read.`);
}
