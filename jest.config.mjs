const common = {
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': ['ts-jest', { useESM: true, diagnostics: false, tsconfig: 'tsconfig.json' }] },
};
const javascript = { '^(\\.{1,2}/.*)\\.js$': '$1' };

export default {
  testTimeout: 60_000, // shared machines are slow at times; no test measures time
  projects: [
    {
      ...common,
      displayName: 'source',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: ['<rootDir>/test/built'],
      moduleNameMapper: { ...javascript, '^#platform$': '<rootDir>/src/platform/node.ts' },
    },
    // The package as it is published: npm run build comes first (npm ci does it).
    {
      ...common,
      displayName: 'built',
      testMatch: ['<rootDir>/test/built/**/*.test.ts'],
      moduleNameMapper: { '^(?:\\.\\./)+src/(.*)$': '<rootDir>/dist/$1', '^(\\.{1,2}/(?:random|pseudo|browsers/engines).*)\\.js$': '$1' },
    },
  ],
};
