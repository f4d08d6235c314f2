// The same code on this machine's own processor, timed: node by node in turn, so that what else runs befalls all rows alike.
import { execFileSync } from 'node:child_process';
import { median, quantile } from '../measure.mjs';
import { nodeFlags, SCRIPT } from './blocks.mjs';
import { nodeOf } from './machines.mjs';

/** Inferences that a process times. */
const INFERENCES = 40;

/** @returns for each row: milliseconds { median, p10, p90, runs } */
export function measure(rows, machine, rounds, progress) {
  const times = rows.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, row] of rows.entries()) {
      progress(`round ${round + 1} of ${rounds}: ${row.name}`);
      const command = [...nodeFlags(machine, row), SCRIPT, JSON.stringify(row), String(INFERENCES), 'time'];
      const output = execFileSync(nodeOf(machine), command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
      times[i].push(...JSON.parse(output.trim().split('\n').at(-1)).times);
    }
  }
  return times.map((own) => ({ median: median(own), p10: quantile(own, 0.1), p90: quantile(own, 0.9), runs: own.length }));
}
