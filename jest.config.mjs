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
    // The package as it is published: npm run build comes first (npm ci does it). What these tests need besides its entry
    // comes from the source.
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
