// npm run bench:arm [-- --only 'int8 large'] [--jobs 2] [--measure]: cycles of one inference on phones' processors, by a model;
// docs/phones.md says how. Estimates that still hold are kept, so a run that was ended goes on where it was.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../prepare.mjs';
import { estimate, keyOf } from './estimate.mjs';
import { MACHINES, missing, versions as read } from './machines.mjs';
import { measure } from './measure.mjs';
import { leftOut, report } from './report.mjs';
import { rows } from './rows.mjs';

const FILE = join(root, 'bench/results/arm.json');
const { only, jobs, rounds, ...flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    measure: { type: 'boolean', default: false },
  },
}).values;
const words = only
  .toLowerCase()
  .split(/[\s,]+/)
  .filter(Boolean);
const isWanted = (name) => words.every((word) => name.toLowerCase().includes(word));
const log = (text) => process.stderr.write(`${text}\n`);
const today = () => new Date().toISOString().slice(0, 10);

function stop(why) {
  log(why);
  process.exit(1);
}
for (const [name, value] of Object.entries({ jobs, rounds })) {
  if (!/^[1-9]\d*$/.test(value)) stop(`--${name} is a whole number from 1; got ${value}.`);
}
const install = missing();
if (install) stop(install);
const versions = read();
const kept = new Map(existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')).rows.map((row) => [row.name, row]) : []);

/** Rows with what is known of them: { row, results: { arm64, x64, measured } }, each with the key under which it holds. */
const entries = (await rows()).map((row) => ({ row, results: {} }));
if (!entries.some(({ row }) => MACHINES.some((machine) => isWanted(`${row.name} ${machine.name}`))))
  stop(`--only ${only}: no row has these words.`);
const tasks = [];
for (const { row, results } of entries) {
  if (row.missing) continue;
  const before = kept.get(row.name) ?? {};
  for (const machine of MACHINES) {
    const key = keyOf(row, machine, versions);
    if (before[machine.name]?.key === key) results[machine.name] = before[machine.name];
    else if (isWanted(`${row.name} ${machine.name}`)) tasks.push({ row, results, machine, key });
  }
  if (before.measured?.key === results.x64?.key) results.measured = before.measured;
}

/** Why a row is not in the tables; undefined if it is. */
function reason({ row, results: { arm64 } }) {
  if (row.missing) return row.missing;
  return arm64 ? arm64.skipped : 'not estimated yet, or of another build';
}

function save() {
  const all = {
    date: today(),
    machine: `${cpus().length} cores of ${cpus()[0].model}`,
    versions,
    processors: MACHINES[0].processors,
    rows: entries.map(({ row: { file, missing, ...what }, results }) => ({ ...what, ...results })),
    left: entries.map((entry) => ({ name: entry.row.name, reason: reason(entry) })).filter((each) => each.reason),
  };
  writeFileSync(FILE, `${JSON.stringify(all, null, 1)}\n`);
  return all;
}

log(`${tasks.length} estimates to make`);
let begun = 0;
async function work() {
  while (begun < tasks.length) {
    const { row, results, machine, key } = tasks[begun++];
    const start = performance.now();
    const name = `[${begun}/${tasks.length}] ${row.name}, ${machine.name}`;
    const progress = (step) => log(`${name}: ${step}`);
    try {
      const found = await estimate(row, machine, progress);
      results[machine.name] = { key, ...found };
      save();
      progress(found.skipped ?? `done in ${((performance.now() - start) / 1000).toFixed(0)} s`);
    } catch (error) {
      progress(error.message);
      process.exitCode = 1;
    }
  }
}
await Promise.all(Array.from({ length: Number(jobs) }, work));

const own = MACHINES.find(({ name }) => name === 'x64');
if (flags.measure && own) {
  const timed = entries.filter(({ row, results }) => results.x64?.cycles && isWanted(row.name));
  const times = measure(
    timed.map(({ row }) => row),
    own,
    Number(rounds),
    log,
  );
  for (const [i, { results }] of timed.entries()) results.measured = { key: results.x64.key, date: today(), ...times[i] };
}

const saved = save();
for (const text of leftOut(saved.left)) log(`left out: ${text}`);
await report(saved);
log('written: bench/results/arm.json, bench/results/arm.svg, docs/phones.md');
