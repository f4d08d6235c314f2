export type OnProgress = (loaded: number, total?: number) => void;

/** Tells of a model's files as of one: what was read of all that have begun. @returns what each of them calls */
export function together(onProgress: OnProgress | undefined): () => OnProgress {
  const files = new Map<OnProgress, readonly [loaded: number, total: number]>();
  return () => {
    const heard: OnProgress = (loaded, total = Number.NaN) => {
      files.set(heard, [loaded, total]);
      const sums = [...files.values()].reduce((sum, file) => [sum[0] + file[0], sum[1] + file[1]]);
      onProgress?.(sums[0], sums[1] || undefined);
    };
    return heard;
  };
}
