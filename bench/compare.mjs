// npm run bench:compare: `compare` on the networks and pictures of this repository. Writes results/compare.json, the table of
// docs/performance.md and the small one of the README.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable, writeDocs } from './docs.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const RESULTS = join(root, 'bench/results/compare.json');

const percent = (share) => `${(share * 100).toFixed(2)} %`;
const milliseconds = (value) => `${value.toFixed(2)} ms`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
const sizeOf = ({ architecture }) => (architecture.endsWith('small') ? 'Small' : 'Large');

/** A row for each network and precision: few columns for the README, all for docs/performance.md. */
export function tables({ comparisons } = JSON.parse(readFileSync(RESULTS, 'utf8'))) {
  const short = [];
  const long = [];
  for (const { model, rows, agreement, cosine, logitSqnrDb, speedup } of comparisons) {
    for (const { precision, top1, top5, latencyMs, modelBytes, arenaBytes } of rows) {
      const { median, p10, p90 } = latencyMs;
      short.push([`${sizeOf(model)}, ${precision}`, percent(top1), megabytes(modelBytes), milliseconds(median)]);
      const against =
        precision === 'int8'
          ? [
              percent(agreement),
              `${cosine.mean.toFixed(5)} (${cosine.least.toFixed(5)})`,
              `${logitSqnrDb.toFixed(1)} dB`,
              `${speedup.toFixed(2)}x`,
            ]
          : ['', '', '', '1.00x'];
      const latency = `${milliseconds(median)} (${p10.toFixed(2)} to ${p90.toFixed(2)})`;
      const sizes = [megabytes(modelBytes), megabytes(arenaBytes)];
      long.push([sizeOf(model), precision, percent(top1), percent(top5), latency, ...sizes, ...against]);
    }
  }
  const columns = ['top-1', 'top-5', 'latency (p10 to p90)', 'file', 'activations', 'agreement', 'cosine (least)', 'logit SQNR', 'speed'];
  return {
    short: markdownTable(['network', 'top-1', 'file', 'one image'], short),
    long: markdownTable(['network', 'precision', ...columns], long, 1),
  };
}

function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-compare-'));
  const file = join(folder, 'compare.json');
  const command = [join(root, 'dist/cli/index.js'), 'compare', '--json', file];
  const start = performance.now();
  execFileSync(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] });
  const seconds = Math.round((performance.now() - start) / 1000);
  const comparisons = JSON.parse(readFileSync(file, 'utf8'));
  rmSync(folder, { recursive: true });
  const machine = `${cpus()[0].model}, Node ${process.version}`;
  return { date: new Date().toISOString().slice(0, 10), machine, seconds, comparisons };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const measured = measure();
  writeFileSync(RESULTS, `${JSON.stringify(measured, null, 2)}\n`);
  const { short, long } = tables(measured);
  const { date, machine, seconds } = measured;
  const note = `${date}, one thread, ${machine}`;
  writeDocs('performance.md', 'npm run bench:compare', `${long}\n\n${note}, ${seconds} seconds in all.`);
  writeDocs('../README.md', 'npm run bench:compare', `${short}\n\n${note}.`);
  console.log(long);
}
