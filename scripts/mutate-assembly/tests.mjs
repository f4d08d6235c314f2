// The kernel tests as they are, in this process: bundled, with describe, it and hooks of our own, and jest's expect.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';
import { build } from 'esbuild';
import { expect } from 'expect';

/** @typedef {{ name: string, before: (() => unknown)[], body: () => unknown }} Test */

/** Collects what test files declare. */
class Collector {
  /** @type {Test[]} */
  tests = [];
  names = [];
  hooks = [];

  describe = (name, body) => {
    const outer = [this.names, this.hooks];
    [this.names, this.hooks] = [[...this.names, name], [...this.hooks]];
    body();
    [this.names, this.hooks] = outer;
  };

  it = (name, body) => {
    // Hooks may be declared behind the tests.
    const hooks = this.hooks;
    this.tests.push({ name: [...this.names, name].join(' '), body, before: hooks });
  };

  hook = (body) => {
    this.hooks.push(body);
  };
}

/** `$key` of a row that is an object, or %s and %i. */
const titled = (title, row) =>
  Array.isArray(row)
    ? format(title, ...row)
    : row !== null && typeof row === 'object'
      ? title.replace(/\$(\w+)/g, (_, key) => row[key])
      : format(title, row);

function each(declare) {
  declare.each = (rows) => (title, body) => {
    for (const row of rows) declare(titled(title, row), () => (Array.isArray(row) ? body(...row) : body(row)));
  };
  return declare;
}

/**
 * @param root the repository
 * @param files test files
 * @param target where the bundle is written
 * @returns {Promise<{ tests: Test[], adoptModule: (compiled: { key: string, module: WebAssembly.Module }) => void }>}
 */
export async function loadTests(root, files, target) {
  const contents = [
    "export { adoptModule } from './src/engine/variants.ts';",
    ...files.map((file, i) => `export const load${i} = () => import('./${file}');`),
  ].join('\n');
  await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    outfile: target,
    logLevel: 'error',
    plugins: [
      {
        name: 'source',
        setup: (plugin) => {
          plugin.onResolve({ filter: /^#platform$/ }, () => ({ path: join(root, 'src/platform/node.ts') }));
          plugin.onResolve({ filter: /\/(emulated|select)\.js$/ }, () => ({ path: 'mutated', namespace: 'mutated' }));
          plugin.onLoad({ filter: /./, namespace: 'mutated' }, () => ({
            contents: 'export const { relaxedModule, select } = globalThis.mutated;',
          }));
        },
      },
    ],
  });
  const collector = new Collector();
  Object.assign(globalThis, {
    describe: each(collector.describe),
    it: each(collector.it),
    beforeAll: collector.hook,
    beforeEach: collector.hook,
    afterAll: () => {},
    expect,
  });
  const bundle = await import(pathToFileURL(target));
  for (let i = 0; i < files.length; i++) {
    const before = collector.tests.length;
    await bundle[`load${i}`]();
    for (const test of collector.tests.slice(before)) test.name = `${files[i]}: ${test.name}`;
  }
  return { tests: collector.tests, adoptModule: bundle.adoptModule };
}
