import platform from '#platform';
import { ModelFormatError } from '../errors.js';
import { fuse } from '../graph/fusion.js';
import type { Network } from '../graph/network.js';
import { type CheckpointOptions, conventionOf, readCheckpoint } from './checkpoint.js';
import { isNative, readNative } from './native.js';
import { isSafetensors, readSafetensors } from './safetensors.js';
import type { TensorFile } from './tensors.js';
import { isZip } from './torch/zip.js';

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
    return checkpointNetwork(file, options);
  }
  if (isZip(bytes)) {
    const { readTorch } = await import('./torch/checkpoint.js');
    return checkpointNetwork(readTorch(bytes), options);
  }
  if (isHdf5(bytes)) return fuse(await platform.readKeras(bytes));
  if (isOnnx(bytes)) {
    const { readOnnx } = await import('./onnx/network.js');
    return fuse(readOnnx(bytes));
  }
  if (isLegacyTorch(bytes)) {
    throw new ModelFormatError(
      "a checkpoint in PyTorch's format of before 1.6: save it again with torch.save(model.state_dict(), file) of a newer PyTorch.",
    );
  }
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  throw new ModelFormatError(
    `${bytes.length} bytes that begin with "${start}" are no model; .safetensors, .pth, .onnx, .h5 and .tflite files are read.`,
  );
}

/** Named tensors of a training framework, whatever file they came in. */
function checkpointNetwork(file: TensorFile, options: CheckpointOptions): Network {
  const convention = conventionOf(file);
  if (convention) return fuse(readCheckpoint(file, convention, options));
  const names = [...file.tensors.keys()].slice(0, 3).join(', ');
  throw new ModelFormatError(`the tensors' names (${names || 'none'}) are neither torchvision's, timm's nor this package's.`);
}

/** A pickled long, 0x1950a86a20f9469cfc6c, comes first. */
const isLegacyTorch = (bytes: Uint8Array): boolean => [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc].every((byte, i) => bytes[i] === byte);

/** ModelProto begins with its version of the format, a small number, and goes on with a string or the graph. */
const isOnnx = (bytes: Uint8Array): boolean => bytes[0] === 0x08 && (bytes[1] ?? 0) < 32 && [0x12, 0x3a].includes(bytes[2] ?? 0);

const isHdf5 = (bytes: Uint8Array): boolean => [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a].every((byte, i) => bytes[i] === byte);
