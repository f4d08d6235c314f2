// Contenders in turn, so that what the machine does meanwhile befalls all of them alike.

/** Inferences of one contender before the next one's turn. */
const BURST = 5;
/** Milliseconds before a turn: helping threads of the one before may wait busily for more, until they sleep. */
const PAUSE = 20;

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

export const quantile = (values, share) => [...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];

/** @returns for each contender: milliseconds, median, tenth and ninetieth hundredth */
export async function measure(contenders, rounds, onRound = () => undefined) {
  for (const { run } of contenders) for (let i = 0; i < 2 * BURST; i++) await run();
  const times = contenders.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, { run }] of contenders.entries()) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
      await run(); // its weights are out of the cache
      for (let n = 0; n < BURST; n++) {
        const start = performance.now();
        await run();
        times[i].push(performance.now() - start);
      }
    }
    onRound(round + 1);
  }
  return contenders.map(({ name }, i) => ({
    name,
    median: median(times[i]),
    p10: quantile(times[i], 0.1),
    p90: quantile(times[i], 0.9),
    runs: times[i].length,
  }));
}

/** Noise over signal of logits against others, as a share of their standard deviation. */
export function deviation(expected, actual) {
  const mean = expected.reduce((sum, x) => sum + x, 0) / expected.length;
  const variance = expected.reduce((sum, x) => sum + (x - mean) ** 2, 0) / expected.length;
  const error = expected.reduce((sum, x, i) => sum + (x - actual[i]) ** 2, 0) / expected.length;
  return Math.sqrt(error / variance);
}
