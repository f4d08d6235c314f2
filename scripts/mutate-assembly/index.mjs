// npm run mutate:assembly [-- --all] [FILE...]
// Mutation testing of the kernels: for each small change of assembly/, does a kernel test fail? CONTRIBUTING.md says how to read it.
//   FILE    only what is changed there; without, report.json is written
//   --all   runs what equivalent.json names, too: does a test kill it by now?
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Bench } from './bench.mjs';
import { BINARIES, compile } from './compile.mjs';
import { equivalents, report } from './report.mjs';
import { mutate } from './schemata.mjs';
import { loadTests } from './tests.mjs';

const TESTS = ['kernels', 'pieces', 'pack', 'machine', 'resize'].map((name) => `test/kernels/${name}.test.ts`);

const files = process.argv.slice(2).filter((argument) => argument !== '--all');
const root = fileURLToPath(new URL('../..', import.meta.url));
process.chdir(root);
const folder = join(root, 'build/mutate-assembly');
mkdirSync(folder, { recursive: true });

const { sources, mutants } = mutate(root);
const modules = {};
for (const binary of BINARIES) {
  console.log(`compiling ${mutants.length - 1} mutants at once, ${binary}`);
  modules[binary] = await WebAssembly.compile(await compile(root, sources, mutants.length, binary));
}

const bench = new Bench(mutants.length);
globalThis.mutated = { relaxedModule: async (dot) => modules[dot], select: (cases) => bench.select(cases) };
const { tests, adoptModule } = await loadTests(root, TESTS, join(folder, 'tests.mjs'));
adoptModule({ variant: 'baseline', shared: false, module: modules.baseline });
for (const test of tests) await bench.record(test);
tests.sort((a, b) => a.milliseconds - b.milliseconds);
const total = tests.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
console.log(`${tests.length} tests pass without a mutant, in ${(total / 1000).toFixed(1)} s`);

const excuses = equivalents();
const start = performance.now();
for (const [i, mutant] of mutants.entries()) {
  if (i === 0 || (files.length > 0 && !files.includes(mutant.file))) continue;
  if (i % 100 === 0) console.log(`${i} of ${mutants.length - 1}, ${((performance.now() - start) / 1000).toFixed(0)} s`);
  if (excuses.has(mutant.name) && !process.argv.includes('--all')) {
    mutant.fate = 'equivalent';
    continue;
  }
  const reaching = tests.filter(({ reaches }) => reaches[i]);
  mutant.fate = reaching.length === 0 ? 'not reached' : 'survived';
  for (const test of reaching) {
    if (!(await bench.kills(test, i))) continue;
    mutant.fate = 'killed';
    break;
  }
  if (mutant.fate !== 'killed') console.log(`${mutant.fate}, line ${mutant.line}: ${mutant.name}`);
}
const isGood = report(
  mutants.filter(({ fate }) => fate),
  files.length === 0,
);
process.exit(isGood ? 0 : 1);
