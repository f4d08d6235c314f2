import { Presets, SingleBar } from 'cli-progress';

/** A progress bar on standard error, where that is a terminal. */
export async function withProgress<T>(what: string, total: number, work: (step: () => void) => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work(() => undefined);
  const bar = new SingleBar(
    { stream: process.stderr, format: `${what} {bar} {value}/{total} | {eta_formatted} left`, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  try {
    return await work(() => bar.increment());
  } finally {
    bar.stop();
  }
}
