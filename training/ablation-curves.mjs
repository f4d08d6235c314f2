// Draws training/ablation.svg: the loss of every network of the ablation that has ended, step by step.
//
//     npm --prefix bench ci --ignore-scripts && npm run fresh && node training/ablation-curves.mjs
import { existsSync, readFileSync } from 'node:fs';
import { linePanels } from '../bench/chart.mjs';
import { NETWORKS } from '../build/internals.js';

const here = new URL('.', import.meta.url);
const read = (name) => readFileSync(new URL(name, here), 'utf8');

/** The rows of a log: steps count from 1 in every stage, and the loss is the mean of the steps since the row before. */
function logOf(network) {
  let [before, last] = [0, { stage: '0', step: 0 }];
  return read(`ablation-${network}.csv`)
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [stage, step, , loss, score] = line.split(',');
      if (stage !== last.stage) before += last.step;
      last = { stage, step: Number(step) };
      return { x: before + last.step, y: Number(loss), score };
    });
}

/** In lines of about 20 characters: two panels share the width of a phone. */
const broken = (title) => title.replace(/(.{12,20}) /, '$1\n');
const lines = Object.entries(NETWORKS).flatMap(([network, { title }]) => {
  if (!existsSync(new URL(`ablation-${network}.csv`, here))) return [];
  const points = logOf(network);
  return [{ title: `${broken(title)}\n${(100 * points.at(-1).score).toFixed(1)} %`, points }];
});
await linePanels(new URL('ablation.svg', here), 'Training loss by step; top-1 at the end', { x: 'step', y: 'loss' }, lines);
