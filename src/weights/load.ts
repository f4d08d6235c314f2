import { ModelFormatError } from '../errors.js';
import { fuse } from '../graph/fusion.js';
import type { Network } from '../graph/network.js';
import { optional } from '../source/source.js';
import type { Source } from '../source/types.js';
import type { CheckpointOptions } from './checkpoint.js';
import { linesOf } from './metadata.js';
import { READERS } from './readers.js';

/** A model's files to a network: the format is told by the bytes, never by the file's name. */
export async function readNetwork(source: Source, options: CheckpointOptions = {}): Promise<Network> {
  const bytes = await source.bytes();
  const reader = READERS.find(({ sniff }) => sniff(bytes));
  if (!reader) throw unknownFormat(bytes);
  const network = await withLabels(await reader.read(bytes, source, options), source);
  return network.lanes.size > 0 ? network : fuse(network);
}

/** A labels.txt in the same folder, of one line a class, names the classes of a file that does not. */
async function withLabels(network: Network, source: Source): Promise<Network> {
  if (network.labels || network.graph.classes === 0 || !source.listed) return network;
  const text = await optional(source, 'labels.txt');
  const labels = text && linesOf(new TextDecoder().decode(text));
  return labels?.length === network.graph.classes ? { ...network, labels } : network;
}

function unknownFormat(bytes: Uint8Array): ModelFormatError {
  if (isLegacyTorch(bytes)) {
    return new ModelFormatError(
      "a checkpoint in PyTorch's format of before 1.6: save it again with torch.save(model.state_dict(), file) of a newer PyTorch.",
    );
  }
  const start = [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const names = READERS.map(({ name }) => name);
  return new ModelFormatError(
    `${bytes.length} bytes that begin with "${start}" are no model; ${names.slice(0, -1).join(', ')} and ${names.at(-1)} files are read.`,
  );
}

/** A pickled long, 0x1950a86a20f9469cfc6c, comes first. */
const isLegacyTorch = (bytes: Uint8Array): boolean => [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc].every((byte, i) => bytes[i] === byte);
