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

/** The same for bytes, whose number is learnt on the way. */
export async function withByteProgress<T>(
  what: string,
  work: (onProgress: (loaded: number, total?: number) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) return work(() => undefined);
  const bar = new SingleBar(
    {
      stream: process.stderr,
      format: `${what} {bar} {percentage} % | {megabytes} MB | {eta_formatted} left`,
      hideCursor: true,
      clearOnComplete: true,
    },
    Presets.shades_classic,
  );
  bar.start(1, 0, { megabytes: '0' });
  try {
    return await work((loaded, total) => {
      if (total !== undefined) bar.setTotal(total);
      bar.update(total === undefined ? 0 : loaded, { megabytes: (loaded / 1e6).toFixed(1) });
    });
  } finally {
    bar.stop();
  }
}
