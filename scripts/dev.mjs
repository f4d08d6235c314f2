// npm run dev: watches assembly/ and src/, builds what a change has made stale, and runs the tests that depend on it.
import { spawnSync } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { refresh } from './fresh.mjs';

const QUIET_MILLISECONDS = 100;
const JEST = [
  '--experimental-vm-modules',
  '--no-warnings',
  'node_modules/jest/bin/jest.js',
  '--selectProjects',
  'unit',
  '--passWithNoTests=false',
];

const changed = new Set();
let timer;

function run() {
  const files = [...changed];
  changed.clear();
  try {
    refresh({ fast: true });
  } catch {
    return; // the compiler has said what is wrong
  }
  const kernels = files.some((file) => file.startsWith('assembly'));
  const sources = files.filter((file) => file.startsWith('src'));
  if (kernels) spawnSync('node', [...JEST, 'test/kernels'], { stdio: 'inherit' });
  if (sources.length > 0) spawnSync('node', [...JEST, '--findRelatedTests', ...sources], { stdio: 'inherit' });
  console.log('watching assembly/ and src/');
}

for (const folder of ['assembly', 'src']) {
  watch(folder, { recursive: true }, (_, name) => {
    const file = join(folder, name ?? '');
    if (!file.endsWith('.ts') || file.startsWith(join('src', 'binaries'))) return;
    changed.add(file);
    clearTimeout(timer);
    timer = setTimeout(run, QUIET_MILLISECONDS);
  });
}
refresh({ fast: true });
console.log('watching assembly/ and src/');
