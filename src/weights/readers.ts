import type { Network } from '../graph/network.js';
import type { Source } from '../source/types.js';
import type { CheckpointOptions } from './checkpoint.js';

/** How one format is read. Its code is fetched when the first such file is. */
export interface Reader {
  readonly name: string;
  /** The format is told by the bytes, never by the file's name. */
  sniff(bytes: Uint8Array): boolean;
  read(bytes: Uint8Array, source: Source, options: CheckpointOptions): Promise<Network>;
}

const begins = (bytes: Uint8Array, start: readonly number[]) => start.every((byte, i) => bytes[i] === byte);

const isZip = (bytes: Uint8Array) => begins(bytes, [0x50, 0x4b, 0x03, 0x04]);

export const READERS: readonly Reader[] = [
  {
    name: '.tflite',
    sniff: (bytes) => String.fromCharCode(...bytes.subarray(4, 8)) === 'TFL3',
    read: async (bytes) => (await import('./tflite/network.js')).readTflite(bytes),
  },
  {
    name: 'model.json of TensorFlow.js',
    // Text, where a safetensors file's first eight bytes are a number with zeros at its end.
    sniff: (bytes) => bytes.length >= 8 && /^(\xef\xbb\xbf)?\s*\{[^\0]*$/.test(String.fromCharCode(...bytes.subarray(0, 8))),
    read: async (bytes, source) => (await import('./tfjs/network.js')).readTfjs(bytes, source),
  },
  {
    name: '.safetensors',
    sniff: (bytes) => bytes.length >= 10 && bytes[8] === 0x7b /* { */,
    read: async (bytes, source, options) =>
      (await import('./named.js')).readNamed((await import('./safetensors-reader.js')).readSafetensors(bytes), source, options),
  },
  {
    name: '.keras',
    // The names of an archive's files are at its end.
    sniff: (bytes) => isZip(bytes) && String.fromCharCode(...bytes.subarray(-2048)).includes('model.weights.h5'),
    read: async (bytes) => (await import('./keras/file.js')).readKerasArchive(bytes),
  },
  {
    name: '.pth',
    sniff: isZip,
    read: async (bytes, source, options) =>
      (await import('./named.js')).readNamed((await import('./torch/checkpoint.js')).readTorch(bytes), source, options),
  },
  {
    name: '.h5',
    sniff: (bytes) => begins(bytes, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a]),
    read: async (bytes) => (await import('./keras/file.js')).readKerasHdf5(bytes),
  },
  {
    name: '.onnx',
    // ModelProto begins with its version of the format, a small number, and goes on with a string or the graph.
    sniff: (bytes) => bytes[0] === 0x08 && (bytes[1] ?? 0) < 32 && [0x12, 0x3a].includes(bytes[2] ?? 0),
    read: async (bytes, source) => (await import('./onnx/network.js')).readOnnxFiles(bytes, source),
  },
];
