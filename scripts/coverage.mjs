// npm run coverage: which lines of src/ the tests run, in whatever process. Jest counts the source that it runs itself; the
// command line, the workers and the browsers run dist/, which V8 counts and the source maps lead back.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import coverage from 'istanbul-lib-coverage';
import report from 'istanbul-lib-report';
import reports from 'istanbul-reports';
import v8ToIstanbul from 'v8-to-istanbul';

const FOLDER = 'coverage';
const V8 = `${FOLDER}/v8`;
const WANTED = 95;

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(V8, { recursive: true });
const jest = ['--coverage', '--coverageReporters', 'json', '--coverageDirectory', `${FOLDER}/jest`];
const collect = ['--collectCoverageFrom', 'src/**/*.ts', '--collectCoverageFrom', '!src/binaries/**'];
execFileSync(
  process.execPath,
  ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', ...jest, ...collect, ...process.argv.slice(2)],
  { stdio: 'inherit', env: { ...process.env, NODE_V8_COVERAGE: resolve(V8) } },
);

/** A module of dist/, or a worker (scripts/build-workers.mjs), that Node ran. */
function builtScript({ url }) {
  const path = url.startsWith('file:') ? fileURLToPath(url) : resolve(url.replace('mobilenet-v3-wasm', 'build/workers'));
  if (!/^(dist|build.workers)\b/.test(relative('.', path)) || !existsSync(`${path}.map`)) return undefined;
  return { path, source: readFileSync(path, 'utf8'), sourcemap: JSON.parse(readFileSync(`${path}.map`, 'utf8')) };
}

/** A bundle that a page ran, with its source map inside (test/browsers/engines.ts). */
function pageScript({ url, source }) {
  const encoded = /\/\/# sourceMappingURL=data:application\/json;base64,(\S+)/.exec(source)?.[1];
  if (!encoded || !url.startsWith('http')) return undefined;
  return { path: new URL(url).pathname, source, sourcemap: JSON.parse(Buffer.from(encoded, 'base64').toString()) };
}

/** Lines of each file of src/ that ran outside jest. */
const run = new Map();
for (const file of readdirSync(V8)) {
  for (const script of JSON.parse(readFileSync(`${V8}/${file}`, 'utf8')).result) {
    const { functions } = script;
    const found = script.source ? pageScript(script) : builtScript(script);
    if (!found) continue;
    const { path, source, sourcemap } = found;
    const converter = v8ToIstanbul(path, 0, { source, sourceMap: { sourcemap } });
    await converter.load();
    converter.applyCoverage(functions);
    for (const [source, data] of Object.entries(converter.toIstanbul())) {
      const lines = run.get(source) ?? new Set();
      for (const [id, hits] of Object.entries(data.s)) if (hits > 0) lines.add(data.statementMap[id].start.line);
      run.set(source, lines);
    }
  }
}

const counted = coverage.createCoverageMap(JSON.parse(readFileSync(`${FOLDER}/jest/coverage-final.json`, 'utf8')));
for (const path of counted.files()) {
  const { data } = counted.fileCoverageFor(path);
  const lines = run.get(path);
  if (!lines) continue;
  for (const [id, { start }] of Object.entries(data.statementMap)) if (lines.has(start.line)) data.s[id] ||= 1;
}
const context = report.createContext({ dir: FOLDER, coverageMap: counted });
for (const kind of ['html', 'lcovonly']) reports.create(kind).execute(context);

const rows = counted.files().map((path) => {
  const { lines } = counted.fileCoverageFor(path).toSummary();
  const missing = counted.fileCoverageFor(path).getUncoveredLines();
  return `${lines.pct.toFixed(1).padStart(6)} %  ${relative('.', path)}${missing.length > 0 ? `: ${missing.join(' ')}` : ''}`;
});
const { lines } = counted.getCoverageSummary();
const text = `npm run coverage, ${new Date().toISOString().slice(0, 10)}, Node ${process.version}: ${lines.covered} of ${lines.total} lines of src/, ${lines.pct} %\n\n${rows.join('\n')}\n`;
writeFileSync(`${FOLDER}/summary.txt`, text);
console.log(text);
if (lines.pct < WANTED) {
  console.error(`${WANTED} % is wanted.`);
  process.exitCode = 1;
}
