// Bundles what the package takes of others to dist/packages/, with their licences: nobody who installs it installs them too.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

/** Modules of Node and of the command line, and what is taken of them. */
const MODULES = {
  commander: "export { Command, CommanderError, InvalidArgumentError, Option } from 'commander'",
  'cli-table3': "export { default } from 'cli-table3'",
  'cli-progress': "export { Presets, SingleBar } from 'cli-progress'",
  'env-paths': "export { default } from 'env-paths'",
  flatbuffers: "export { Builder } from 'flatbuffers'",
};
/** Where each lies in dist/. */
export const PACKAGES = {
  ...Object.fromEntries(Object.keys(MODULES).map((name) => [name, `packages/${name}.js`])),
  piscina: 'packages/piscina.cjs',
};

/** CommonJS asks for what Node has by require(). */
const REQUIRE = "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";

const modules = {
  name: 'modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^module:/ }, ({ path }) => ({ path: path.slice('module:'.length), namespace: 'module' }));
    onLoad({ filter: /.*/, namespace: 'module' }, ({ path }) => ({ contents: MODULES[path], resolveDir: '.' }));
  },
};

/** Piscina finds its worker beside itself; in a package of modules a script in CommonJS needs a name that says so. */
const piscinaWorker = {
  name: 'piscina-worker',
  setup({ onLoad }) {
    onLoad({ filter: /piscina\/dist\/index\.js$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8');
      if (!contents.includes("'worker.js'"))
        throw new Error('piscina does not name its worker as it did; look at scripts/build-packages.mjs');
      return { contents: contents.replace("'worker.js'", "'piscina-worker.cjs'") };
    });
  },
};

const OWN_LICENCE = readFileSync('LICENSE', 'utf8').trim();

/** Their licences ask to be handed on. The one that is this package's as well lies in its LICENSE. */
function licenceOf(name) {
  const folder = `node_modules/${name}`;
  const { version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
  const file = readdirSync(folder).find((other) => /^licen[cs]e/i.test(other));
  if (!file) throw new Error(`${name} has no licence to hand on`);
  const text = readFileSync(`${folder}/${file}`, 'utf8').trim();
  return `${name} ${version}\n\n${text === OWN_LICENCE ? 'The Apache License 2.0, in the file LICENSE of this package.' : text}\n`;
}

export async function buildPackages() {
  const options = {
    outdir: 'dist/packages',
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  };
  const built = [
    await build({
      ...options,
      entryPoints: Object.keys(MODULES).map((name) => ({ in: `module:${name}`, out: name })),
      format: 'esm',
      splitting: true, // the two that draw share how wide a character is
      banner: { js: REQUIRE },
      plugins: [modules],
    }),
    await build({
      ...options,
      entryPoints: { piscina: 'node_modules/piscina/dist/esm-wrapper.mjs', 'piscina-worker': 'node_modules/piscina/dist/worker.js' },
      format: 'cjs',
      outExtension: { '.js': '.cjs' },
      external: ['@napi-rs/nice'], // only for priorities, which are not asked for
      plugins: [piscinaWorker],
    }),
  ];
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const names = new Set(inputs.flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
  writeFileSync('dist/packages/LICENSES.txt', [...names].sort().map(licenceOf).join('\n---\n\n'));
}
