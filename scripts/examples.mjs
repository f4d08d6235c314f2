// Brings examples/ to life: what they depend on, and both packages as npm would publish them. With --test, their tests and their table.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { markdownTable, writeDocs } from '../bench/docs.mjs';
import { refresh } from './fresh.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const examples = join(root, 'examples');
const modules = join(examples, 'node_modules');

const run = (command, args, options = {}) =>
  execFileSync(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', ...options });

/** Packs both packages and unpacks them where an import finds them, as an installation would leave them. */
export function installPackages() {
  install('mobilenet-v3-wasm', '.');
  install('mobilenet-v3-wasm-standalone', './build/standalone');
}

function install(name, folder) {
  const packed = join(root, 'build/examples');
  mkdirSync(packed, { recursive: true });
  mkdirSync(modules, { recursive: true });
  const [{ filename }] = JSON.parse(run('npm', ['pack', folder, '--ignore-scripts', '--json', '--pack-destination', packed]));
  run('tar', ['xzf', join(packed, filename), '-C', packed]);
  const target = join(modules, name);
  rmSync(target, { recursive: true, force: true });
  renameSync(join(packed, 'package'), target);
}

/** What examples/package-lock.json names, unless it is there. */
function installDependencies() {
  const installed = join(modules, '.package-lock.json');
  const wanted = JSON.parse(readFileSync(join(examples, 'package-lock.json'), 'utf8')).packages;
  if (existsSync(installed)) {
    const { packages } = JSON.parse(readFileSync(installed, 'utf8'));
    if (Object.entries(packages).every(([path, { version }]) => wanted[path]?.version === version)) return;
  }
  run('npm', ['--prefix', examples, 'ci', '--ignore-scripts', '--no-audit', '--no-fund']);
}

/** What each test saw, as a table between two marks of examples/README.md. */
function writeTable() {
  const results = join(root, 'build/examples/results');
  const rows = readdirSync(results).map((file) => JSON.parse(readFileSync(join(results, file), 'utf8')));
  const about = `${new Date().toISOString().slice(0, 10)}, ${availableParallelism()} threads of ${cpus()[0].model.trim()}, Node ${process.versions.node}:`;
  const row = ({ example, seen, seconds }) => [
    existsSync(join(examples, example)) ? `[${example}](${example})` : example,
    seen,
    seconds.toFixed(1),
  ];
  const table = markdownTable(['example', 'what its test saw', 'seconds'], rows.map(row), 1);
  writeDocs('../examples/README.md', 'npm run test:examples', `${about}\n\n${table}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  refresh();
  installDependencies();
  installPackages();
  if (process.argv.includes('--test')) {
    rmSync(join(root, 'build/examples/results'), { recursive: true, force: true });
    const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js', '--selectProjects', 'examples'];
    execFileSync('node', jest, { cwd: root, stdio: 'inherit' });
    writeTable();
  }
}
