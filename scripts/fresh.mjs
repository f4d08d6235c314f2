// Builds what its sources have outgrown, and nothing else. Every made file is stamped with a hash of all that it was made from.
//
//   node scripts/fresh.mjs           makes everything current, as it is published
//   node scripts/fresh.mjs --all     makes everything anew
//   node scripts/fresh.mjs --fast    without the slowest compression: a few per cent larger, otherwise equal
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const STAMPS = join(root, 'build/stamps.json');

/** In the order in which they depend on each other: what is made, from what, and how. */
const PRODUCTS = [
  {
    name: 'the WebAssembly binaries',
    sources: ['assembly', 'src/engine/kernel.ts', 'asconfig.json', 'scripts/build-wasm.mjs'],
    made: 'src/binaries/relaxed.ts',
    make: ['node', 'scripts/build-wasm.mjs'],
    slow: true,
  },
  {
    name: 'the workers',
    sources: ['src', 'scripts/build-workers.mjs'],
    except: /binaries\/.*worker/,
    made: 'src/binaries/model-worker.ts',
    make: ['node', 'scripts/build-workers.mjs'],
  },
  {
    name: 'dist/',
    sources: ['src', 'bench/internals.ts', 'bench/internals-node.ts', 'scripts/build-js.mjs', 'scripts/build-packages.mjs'],
    made: 'dist/index.js',
    make: ['node', 'scripts/build-js.mjs'],
  },
  {
    name: 'the standalone package',
    sources: ['src', 'package.json', 'docs/standalone.md', 'scripts/build-standalone.mjs'],
    made: 'build/standalone/package.json',
    make: ['node', 'scripts/build-standalone.mjs'],
  },
  {
    name: 'the types of both packages',
    sources: ['src', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build-types.mjs'],
    made: 'dist/index.d.ts',
    make: ['node', 'scripts/build-types.mjs'],
  },
];

function filesOf(path) {
  const own = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return own.flatMap((entry) => (entry.isDirectory() ? filesOf(join(path, entry.name)) : [join(path, entry.name)]));
}

/** Of the sources' names and contents. */
function hashOf({ sources, except }) {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(root, source);
    for (const file of source.includes('.') ? [path] : filesOf(path)) {
      if (!except?.test(file)) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
    }
  }
  return hash.digest('hex');
}

const stamps = () => (existsSync(STAMPS) ? JSON.parse(readFileSync(STAMPS, 'utf8')) : {});

function isFresh(product, fast) {
  const stamp = stamps()[product.made];
  return existsSync(join(root, product.made)) && stamp?.hash === hashOf(product) && (fast || !product.slow || !stamp.fast);
}

/** Makes what is missing or stale, or everything. */
export function refresh({ fast = false, all = false } = {}) {
  for (const product of PRODUCTS) {
    if (!all && isFresh(product, fast)) continue;
    const hurried = fast && product.slow === true;
    process.stderr.write(`building ${product.name}${hurried ? ', without the slowest compression' : ''}\n`);
    const [command, ...args] = product.make;
    execFileSync(command, hurried ? [...args, '--fast'] : args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
    mkdirSync(join(root, 'build'), { recursive: true });
    writeFileSync(STAMPS, JSON.stringify({ ...stamps(), [product.made]: { hash: hashOf(product), fast: hurried } }));
  }
}

/** One sentence about what is stale; undefined where nothing is. */
export function complaint() {
  const stale = PRODUCTS.find((product) => !isFresh(product, true));
  return stale && `${stale.name} in this repository: the sources are newer; run "npm run fresh" first.`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [fast, all] = ['--fast', '--all'].map((option) => process.argv.includes(option));
  refresh({ fast, all });
}
