// node scripts/sizes.mjs            measures what each part of the package costs, and writes bench/results/sizes.json and docs/browsers.md
// node scripts/sizes.mjs --check    fails where a part grew by more than 3 per cent of what bench/results/sizes.json says
//
// A page's parts as esbuild bundles dist/ with splitting, minified, compressed by Brotli. What a part shares with the core, which every
// page loads, counts there.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';

const FILE = 'bench/results/sizes.json';
const PAGE = 'docs/browsers.md';
const STANDALONE = 'build/standalone';
const MARKERS = ['<!-- npm run sizes writes from here -->', '<!-- to here -->'];
/** A share, and bytes that compression may differ by. */
const GROWTH = 0.03;
const NOISE_BYTES = 24;

const brotli = (bytes) => brotliCompressSync(bytes).length;
const { exports: entries } = JSON.parse(readFileSync('package.json', 'utf8'));

/** What an entry costs, and what each thing that it loads later costs on top. */
async function partsOf(entry) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    outdir: '/',
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    write: false,
    metafile: true,
    tsconfigRaw: '{}',
    logLevel: 'warning',
  });
  const size = new Map(outputFiles.map(({ path, contents }) => [basename(path), brotli(contents)]));
  const chunks = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]));
  const closure = (name, seen = new Set()) => {
    if (seen.has(name)) return seen;
    seen.add(name);
    for (const { path, kind } of chunks.get(name).imports) if (kind === 'import-statement') closure(basename(path), seen);
    return seen;
  };
  const sum = (names) => [...names].reduce((total, name) => total + size.get(name), 0);
  const core = closure(basename(entry));
  const names = JSON.parse(readFileSync('build/chunks.json', 'utf8'));
  const later = [...chunks].filter(([name, { entryPoint }]) => entryPoint && !core.has(name));
  const parts = later.map(([name, { entryPoint }]) => [
    names[entryPoint.replace(/^dist\//, '')] ?? entryPoint.replace(/^dist\/chunks\/(.+)-.{8}\.js$/, '$1'),
    sum([...closure(name)].filter((chunk) => !core.has(chunk))),
  ]);
  return { core: sum(core), parts: new Map(parts.sort(([a], [b]) => (a < b ? -1 : 1))) };
}

/** Names as readers of the table know them. */
const TITLES = {
  'binaries/relaxed': 'WebAssembly with relaxed SIMD, in its module',
  'binaries/baseline': 'WebAssembly, baseline, in its module',
  'binaries/model-worker': 'the worker of `worker: true`',
  'binaries/pool-worker': 'the worker of a thread',
  'worker/remote-model': 'what talks to the worker',
  quantize: '`quantize()`',
  'runtime/integers': 'arithmetic of int8 networks',
  'engine/threads/pool': 'threads',
  'quantization/dequantize': "`precision: 'float32'` of int8 networks",
  'platform/frames': '`watch()`',
  'engine/compiled': '`compiled`',
  'source/hub': 'the Hugging Face hub',
};
const titleOf = (name) => TITLES[name] ?? (name.startsWith('weights/') ? `the reader \`${name.slice('weights/'.length)}\`` : `\`${name}\``);

export async function measure() {
  const sizes = {};
  for (const [name, { default: path }] of Object.entries(entries)) {
    const { core, parts } = await partsOf(path);
    sizes[name === '.' ? 'JavaScript that every page loads' : `\`mobilenet-v3-wasm${name.slice(1)}\` by itself`] = core;
    if (name === '.') for (const [part, size] of parts) sizes[titleOf(part)] = size;
  }
  for (const file of readdirSync(STANDALONE).filter((name) => /\.(js|wasm)$/.test(name))) {
    sizes[`\`mobilenet-v3-wasm-standalone\`: ${file}`] = brotli(readFileSync(`${STANDALONE}/${file}`));
  }
  const [{ size, unpackedSize }] = JSON.parse(
    execFileSync('npm', ['pack', '--ignore-scripts', '--dry-run', '--json'], { encoding: 'utf8' }),
  );
  sizes['the tarball that npm downloads (gzip)'] = size;
  sizes['the same on the disk (not compressed)'] = unpackedSize;
  return sizes;
}

/** What outgrew the table; empty where nothing did. `fast`: the binaries were not compressed as for publishing. */
export function complaints(sizes, committed, fast) {
  const lines = [];
  for (const [name, size] of Object.entries(sizes)) {
    if (fast && /in its module|wasm\.js|tarball|disk/.test(name)) continue;
    const before = committed[name];
    if (before === undefined) lines.push(`${name}: ${size} bytes, and is not in the table`);
    else if (size > before * (1 + GROWTH) + NOISE_BYTES) lines.push(`${name}: ${size} bytes, ${before} in the table`);
  }
  for (const name of Object.keys(committed)) if (!(name in sizes)) lines.push(`${name}: in the table, and is not there`);
  return lines;
}

function table(sizes, date) {
  const rows = Object.entries(sizes).map(([name, size]) => `| ${name} | ${(size / 1000).toFixed(1)} |`);
  return ['', '| part | KB |', '|---|---:|', ...rows, '', `Brotli, ${date}.`, ''].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const sizes = await measure();
  if (process.argv.includes('--check')) {
    const fast = JSON.parse(readFileSync('build/stamps.json', 'utf8'))['src/binaries/relaxed.ts']?.fast === true;
    const grown = complaints(sizes, JSON.parse(readFileSync(FILE, 'utf8')).sizes, fast);
    for (const line of grown) console.error(line);
    if (grown.length > 0) {
      console.error('If that is meant, run "npm run sizes" and commit what it writes.');
      process.exitCode = 1;
    }
  } else {
    const date = new Date().toISOString().slice(0, 10);
    writeFileSync(FILE, `${JSON.stringify({ date, unit: 'bytes, Brotli', sizes }, null, 2)}\n`);
    const text = readFileSync(PAGE, 'utf8');
    const [from, to] = MARKERS.map((marker) => text.indexOf(marker));
    if (from < 0 || to < from) throw new Error(`${PAGE} lacks the lines ${MARKERS.join(' and ')}`);
    writeFileSync(PAGE, `${text.slice(0, from + MARKERS[0].length)}\n${table(sizes, date)}${text.slice(to)}`);
    console.log(table(sizes, date));
  }
}
