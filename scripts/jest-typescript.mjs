// Jest's transform: ts-jest, file by file; lint checks the types. Jest runs modules in a context of its own, where each look-up of a
// global costs as much as a hundred additions. A module that has its own Math runs at the speed of Node.
import { createHash } from 'node:crypto';
import tsJest from 'ts-jest';

const OWN_MATH = 'const { Math } = globalThis;';
const typescript = tsJest.default.createTransformer({ useESM: true, diagnostics: false, tsconfig: 'tsconfig.json' });

export default {
  process(source, path, options) {
    const { code, ...rest } = typescript.process(source, path, options);
    return { code: OWN_MATH + code, ...rest };
  },
  getCacheKey: (...args) =>
    createHash('sha256')
      .update(OWN_MATH)
      .update(typescript.getCacheKey(...args))
      .digest('hex'),
};
