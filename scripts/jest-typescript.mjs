// Jest's transform: TypeScript to JavaScript, file by file; lint checks the types. Jest runs modules in a context of its own, where
// each look-up of a global costs as much as a hundred additions. A module that has its own Math runs at the speed of Node.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transformSync, version } from 'esbuild';

const SELF = readFileSync(fileURLToPath(import.meta.url));

export default {
  process: (source, path) => ({
    code: transformSync(source, {
      loader: 'ts',
      format: 'esm',
      target: 'node20',
      sourcefile: path,
      sourcemap: 'inline',
      banner: 'const { Math } = globalThis;',
    }).code,
  }),
  getCacheKey: (source, path, { instrument }) =>
    createHash('sha256').update(SELF).update(version).update(source).update(path).update(String(instrument)).digest('hex'),
};
