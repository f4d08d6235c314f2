// Measures the paper's networks, or the table of blocks, in a worker: the page stays free to scroll and to stop it.

import type { LatencyTable } from '../../../src/evaluation/latency/estimate';
import { type HeldOut, measureTable, TABLE_STEPS } from '../../../src/evaluation/latency/measure';
import { type Measured, measureGroup } from '../../../src/evaluation/paper/measure';
import { GROUP_NAMES, GROUPS } from '../../../src/evaluation/paper/subjects';

export interface ToPaperRunner {
  readonly kind: 'paper' | 'blocks';
}
export type FromPaperRunner =
  | { readonly kind: 'progress'; readonly share: number; readonly text: string }
  | { readonly kind: 'paper'; readonly measured: readonly Measured[] }
  | { readonly kind: 'blocks'; readonly table: LatencyTable; readonly heldOut: readonly HeldOut[] }
  | { readonly kind: 'failed'; readonly text: string };

/** Networks in memory at once: a phone has less of it. */
const TOGETHER = 4;
const ROUNDS = 3;
const post = (message: FromPaperRunner) => self.postMessage(message);

function progressOf(all: number): (text?: string) => void {
  let done = 0;
  return (text = 'a network') => post({ kind: 'progress', share: ++done / all, text });
}

async function paper(): Promise<void> {
  const onProgress = progressOf(Object.values(GROUPS).flat().length);
  const measured: Measured[] = [];
  for (const group of GROUP_NAMES) measured.push(...(await measureGroup(group, { together: TOGETHER, rounds: ROUNDS, onProgress })));
  post({ kind: 'paper', measured });
}

async function blocks(): Promise<void> {
  const step = progressOf(TABLE_STEPS);
  const { heldOut, ...table } = await measureTable(navigator.userAgent, { onProgress: () => step() });
  post({ kind: 'blocks', table, heldOut });
}

self.onmessage = async ({ data }: MessageEvent<ToPaperRunner>) => {
  try {
    await (data.kind === 'paper' ? paper() : blocks());
  } catch (error) {
    post({ kind: 'failed', text: (error as Error).message });
  }
};
