import platform from '#platform';

/** More than this gain nothing on layers of a few hundred microseconds. */
const MOST_AUTOMATIC = 4;
export const MOST_THREADS = 16;

/** How many threads 'auto' means here. */
export const automaticThreads = (): number => Math.max(1, Math.min(MOST_AUTOMATIC, platform.parallelism()));
