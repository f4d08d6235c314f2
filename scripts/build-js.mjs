// Bundles src/ to dist/: a few modules where there were sixty, because each costs Node a quarter of a millisecond to load.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { build, transform } from 'esbuild';
import { rollup } from 'rollup';
import { buildPackages, PACKAGES } from './build-packages.mjs';

const PUBLIC = ['index', 'kernels/index', 'worker/serve', 'transfer', 'cli/index'];
/** Found by their address: package.json's imports, and what threads run in Node. */
const ADDRESSED = ['platform/node', 'platform/browser', 'worker/start', 'cli/picture-worker'];
/** Smaller shared pieces become part of a larger one. */
const SMALLEST_CHUNK = 1024;
/** Node shows the line that threw an error which nobody caught: not the whole module. Binaries throw none, and pack better whole. */
const longestLine = ({ facadeModuleId }) => (facadeModuleId?.includes('/binaries/') ? 0 : 160);

/** A member's number is its place, so nothing else may stand among them. */
function plainName(member, name) {
  if (/^\w+$/.test(member)) return member;
  throw new Error(`src/engine/kernel.ts: members of ${name} are to be names alone, without values and comments; got "${member}".`);
}
/** Kernels' names become their numbers, as esbuild makes them within one bundle: pages are spared the table of names. */
const enums = [...readFileSync('src/engine/kernel.ts', 'utf8').matchAll(/export enum (\w+) \{([^}]+)\}/g)].map(([, name, members]) => ({
  uses: new RegExp(`\\b${name}\\.(\\w+)`, 'g'),
  members: members
    .replace(/,\s*$/, '')
    .split(',')
    .map((member) => plainName(member.trim(), name)),
}));
const numbered = (code) =>
  enums.reduce(
    (text, { uses, members }) => text.replace(uses, (use, member) => (members.includes(member) ? members.indexOf(member) : use)),
    code,
  );

const typescript = {
  name: 'typescript',
  resolveId: (id, importer) => {
    if (id in PACKAGES) return { id: resolve('src', PACKAGES[id]), external: 'relative' };
    return importer && id.startsWith('.') ? resolve(dirname(importer), id.replace(/\.js$/, '.ts')) : undefined;
  },
  // A module that is imported for its effects alone: none here has any.
  renderChunk: (code, chunk) => {
    const options = { minify: true, lineLimit: longestLine(chunk), target: 'es2022', sourcemap: true };
    return transform(code.replace(/^import '\.[^']+';$/gm, ''), options);
  },
  load: async (id) => {
    const options = { loader: 'ts', target: 'es2022', sourcemap: true, sourcefile: id, tsconfigRaw: {} };
    return transform(numbered(readFileSync(id, 'utf8')), options);
  },
};

rmSync('dist', { recursive: true, force: true });
const bundle = await rollup({
  input: Object.fromEntries([...PUBLIC, ...ADDRESSED].map((name) => [name, resolve(`src/${name}.ts`)])),
  external: (id) => /^(?!\.|\/)/.test(id) && !(id in PACKAGES),
  plugins: [typescript],
  treeshake: { moduleSideEffects: false },
});
const { output } = await bundle.write({
  dir: 'dist',
  format: 'esm',
  sourcemap: 'hidden', // for npm run coverage; not published
  entryFileNames: '[name].js',
  // As deep as cli/ and platform/, so that an address relative to a module holds wherever its code ends up.
  chunkFileNames: 'chunks/[name]-[hash].js',
  experimentalMinChunkSize: SMALLEST_CHUNK,
  hoistTransitiveImports: false,
});
// Which module each chunk is there for, for scripts/sizes.mjs.
const chunks = output.flatMap(({ fileName, facadeModuleId }) => (facadeModuleId ? [[fileName, relative('src', facadeModuleId)]] : []));
mkdirSync('build', { recursive: true });
writeFileSync('build/chunks.json', JSON.stringify(Object.fromEntries(chunks.map(([file, id]) => [file, id.replace(/\.ts$/, '')]))));
await buildPackages();
await build({
  entryPoints: ['bench/internals.ts', 'bench/internals-node.ts'],
  outdir: 'build',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  platform: 'node',
  packages: 'external',
  alias: { '#platform': './src/platform/node.ts' },
  logLevel: 'warning',
});
