// npm run soak [-- READER...]: test/weights/fuzz.test.ts with 200,000 changed files a reader (FUZZ_RUNS: another number), outside of Jest,
// whose modules run at half the speed. Prints a line a reader; the lines of bench/results/soak.txt are such.
import { mkdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';
import { expect } from 'expect';

process.env.FUZZ_RUNS ??= '200000';
const wanted = process.argv.slice(2);
const tests = [];
let group;
globalThis.expect = expect;
globalThis.it = (name, run) => tests.push({ name: group ?? name, run });
globalThis.describe = {
  each: (cases) => (_, declare) => {
    for (const each of cases) {
      group = each.name;
      declare(each);
    }
    group = undefined;
  },
};

// Of its own for each process: readers can be soaked side by side.
const bundle = resolve(`build/soak-${process.pid}.mjs`);
mkdirSync('build', { recursive: true });
await build({
  entryPoints: ['test/weights/fuzz.test.ts'],
  outfile: bundle,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  packages: 'external',
  alias: { '#platform': './src/platform/node.ts' },
  logLevel: 'warning',
});
await import(bundle);
rmSync(bundle);

const unknown = wanted.filter((name) => tests.every((test) => test.name !== name));
if (unknown.length > 0) throw new Error(`no reader "${unknown[0]}"; there are ${tests.map(({ name }) => name).join(', ')}.`);
for (const { name, run } of tests) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(start);
  console.log(`${name}: passed ${process.env.FUZZ_RUNS} in ${((user + system) / 1e6).toFixed(0)} s of processor time`);
}
