// npm run mutate: changes operators, constants and statements of src/ one at a time, by Stryker. A unit test must fail for each.
//
//   npm run mutate                     every part (parts.mjs) whose source or tests have changed since its last run
//   npm run mutate -- image compute    the parts of these folders, or these parts
//   npm run mutate -- --report         runs nothing: writes test/mutation/report.md from the last runs
//   npm run mutate -- --survivors      runs nothing: lists what no test notices and equivalent.json does not name
import { existsSync, mkdirSync } from 'node:fs';
import { Stryker } from '@stryker-mutator/core';
import { folderOf, NAMES, partOf } from './parts.mjs';
import { fileOf, survivorsOf, writeReport } from './report.mjs';
import { WAIT } from './runner.mjs';

function configOf(name) {
  const { mutate, tests } = partOf(name);
  return {
    mutate,
    // Messages are for people: another word is no fault.
    mutator: { excludedMutations: ['StringLiteral'] },
    testRunner: 'circus',
    plugins: ['./scripts/mutate/runner.mjs'],
    circus: { files: tests },
    testRunnerNodeArgs: ['--no-warnings'],
    coverageAnalysis: 'perTest',
    concurrency: 1,
    ignorePatterns: ['**', '!src/**', '!test/**', '!scripts/**', '!assembly/**', '!build/relaxed.wat', '!package.json', '!tsconfig.json'],
    // A sandbox lies within the repository: Node finds its modules there. Looking for others would find other runs' sandboxes.
    symlinkNodeModules: false,
    tempDirName: `build/mutation/${name}.sandbox`,
    incremental: true,
    incrementalFile: `build/mutation/${name}.incremental.json`,
    reporters: ['json', 'progress-append-only'],
    jsonReporter: { fileName: fileOf(name) },
    timeoutMS: WAIT,
    dryRunTimeoutMinutes: 30,
    maxTestRunnerReuse: 500,
    thresholds: { high: 100, low: 100, break: null },
    checkers: [],
    warnings: { unknownOptions: false },
  };
}

const options = process.argv.slice(2);
const wanted = options.filter((option) => !option.startsWith('--'));
const parts = NAMES.filter((part) => wanted.length === 0 || wanted.includes(part) || wanted.includes(folderOf(part)));
for (const name of wanted) {
  if (!parts.some((part) => part === name || folderOf(part) === name)) {
    throw new Error(`${name} is no part of scripts/mutate/parts.mjs; it has ${NAMES.join(', ')}.`);
  }
}

if (!options.includes('--report') && !options.includes('--survivors')) {
  for (const part of parts) {
    console.log(`\n${part}`);
    mkdirSync('build/mutation', { recursive: true });
    await new Stryker(configOf(part)).runMutationTest();
  }
}
if (options.includes('--survivors'))
  console.log(
    parts
      .filter((part) => existsSync(fileOf(part)))
      .flatMap(survivorsOf)
      .join('\n'),
  );
else writeReport();
