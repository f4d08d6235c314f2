import { availableParallelism } from 'node:os';

const common = {
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  globalSetup: '<rootDir>/scripts/fresh-for-tests.mjs',
  modulePathIgnorePatterns: ['<rootDir>/build/'],
  transform: { '^.+\\.ts$': '<rootDir>/scripts/jest-typescript.mjs' },
};
const javascript = { '^(\\.{1,2}/.*)\\.js$': '$1' };
const source = { ...javascript, '^#platform$': '<rootDir>/src/platform/node.ts' };
const all = '<rootDir>/test/**/*.test.ts';

export default {
  testTimeout: 60_000, // shared machines are slow at times; no test measures time
  maxWorkers: Math.max(2, availableParallelism() - 1), // Jest takes one of two cores
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: [all, '!**/test/{networks,built,browsers,cli,examples}/**', '!**/{fuzz,service}.test.ts'],
      moduleNameMapper: source,
    },
    // Whole networks: the shipped ones, PyTorch's answers, every scheme of quantization.
    { ...common, displayName: 'networks', testMatch: ['<rootDir>/test/networks/**/*.test.ts'], moduleNameMapper: source },
    // Thousands of damaged files and of inferences.
    { ...common, displayName: 'fuzz', testMatch: ['<rootDir>/test/**/{fuzz,service}.test.ts'], moduleNameMapper: source },
    { ...common, displayName: 'browsers', testMatch: ['<rootDir>/test/browsers/**/*.test.ts'], moduleNameMapper: source },
    // The command line of dist/, by processes of its own.
    { ...common, displayName: 'cli', testMatch: ['<rootDir>/test/cli/**/*.test.ts'], moduleNameMapper: source },
    // The examples, with the package as it is published.
    {
      ...common,
      displayName: 'examples',
      testMatch: ['<rootDir>/test/examples/**/*.test.ts'],
      globalSetup: '<rootDir>/scripts/examples-for-tests.mjs',
      moduleNameMapper: source,
    },
    // The package as it is published. What these tests need besides its entry comes from the source.
    {
      ...common,
      displayName: 'built',
      testMatch: ['<rootDir>/test/built/**/*.test.ts'],
      moduleNameMapper: {
        '^\\.\\./\\.\\./src/index\\.js$': '<rootDir>/dist/index.js',
        '^#platform$': '<rootDir>/dist/platform/node.js',
        '^(\\.{1,2}/(?!index|chunks).*)\\.js$': '$1',
      },
    },
  ],
};
