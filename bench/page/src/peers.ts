// LiteRT.js and tfjs beside this package, in a worker that prepare-peers.mjs makes. Nothing of it is loaded before this is called.
import type { NetworkName, Peer } from './result';

interface Status {
  readonly text: string;
  readonly done: number;
  readonly all: number;
}
type FromPeers = Status | { readonly peers: Peer[] } | { readonly failure: string };

export interface Wanted {
  readonly base: string;
  readonly networks: readonly NetworkName[];
  readonly rounds: number;
}

/** @returns nothing where it was stopped */
export function measurePeers(wanted: Wanted, tell: (status: Status) => void, signal: AbortSignal): Promise<Peer[]> {
  tell({ text: 'loading LiteRT.js and tfjs', done: 0, all: 1 });
  const worker = new Worker(`${wanted.base}peers/worker.js`);
  return new Promise<Peer[]>((resolve, reject) => {
    signal.addEventListener('abort', () => resolve([]));
    worker.onerror = ({ message }) => reject(new Error(message || 'their worker cannot be loaded.'));
    worker.onmessage = ({ data }: MessageEvent<FromPeers>) => {
      if ('peers' in data) resolve(data.peers);
      else if ('failure' in data) reject(new Error(data.failure));
      else tell(data);
    };
    worker.postMessage(wanted);
  }).finally(() => worker.terminate());
}
