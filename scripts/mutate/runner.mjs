// Stryker's test runner for tests of jest: jest-circus runs them, in a process that has loaded them before. Jest itself is called anew
// for each mutant and spends half a second on finding, reading and linking what did not change; here a mutant costs some milliseconds.
import { cpSync, existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { commonTokens, declareClassPlugin, PluginKind, tokens } from '@stryker-mutator/api/plugin';
import { DryRunStatus, determineHitLimitReached, MutantRunStatus, TestStatus, toMutantRunResult } from '@stryker-mutator/api/test-runner';
import { build } from 'esbuild';
import { expect } from 'expect';
import * as circus from 'jest-circus';

const { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } = circus;
Object.assign(globalThis, { afterAll, afterEach, beforeAll, beforeEach, describe, it, test, expect });
globalThis[Symbol.for('TEST_TIMEOUT_SYMBOL')] = 60_000;

/** What instrumented code reads and writes: the active mutant, which test covers what, how often a mutant was passed. */
const context = {};
globalThis.__stryker__ = context;

const BUNDLE = 'mutation-bundle';

/** Stryker's patience with a run, besides what its tests took before, in milliseconds. A busy machine may need it. */
export const WAIT = 600_000;
/** And ours, in milliseconds of processor time. */
const PATIENCE = 2_000;

/** Ends this process once it has used the processor for too long, and leaves a note of which mutant that was. */
const WATCH = `
const { workerData: deadline } = require('node:worker_threads');
const { writeFileSync } = require('node:fs');
setInterval(() => {
  const { user, system } = process.cpuUsage();
  const [limit, mutant] = deadline;
  if (limit === 0 || (user + system) / 1000 < limit) return;
  writeFileSync('late-' + mutant, '');
  process.kill(process.pid, 'SIGKILL');
}, 100);
`;

const titlesOf = ({ name, parent }) => (parent ? [...titlesOf(parent), name] : []);
const testsUnder = (block) => block.children.flatMap((child) => (child.type === 'test' ? [child] : testsUnder(child)));

class CircusRunner {
  static inject = tokens(commonTokens.options);
  /** One for each test file: its name, and what jest-circus knows of its tests. */
  #loaded = [];
  #loads = 0;
  /** The file that runs, for the names of its tests. */
  #file = '';
  #bails = false;
  /** Failures of promises that nobody waits for. */
  #strays = [];
  /** Tests that are prepared by a hook, which is covered by no test but by all of these. */
  #hooks = new Map();
  /** The processor time at which the run must have ended, in milliseconds, and the number of its mutant. */
  #deadline = new Float64Array(new SharedArrayBuffer(16));

  constructor({ circus: { files } }) {
    this.files = files;
    for (const event of ['unhandledRejection', 'uncaughtException']) process.on(event, (error) => this.#strays.push(error));
    circus.addEventHandler((event) => this.#see(event));
  }

  capabilities() {
    return { reloadEnvironment: true };
  }

  async init() {
    new Worker(WATCH, { eval: true, workerData: this.#deadline }).unref();
    await build({
      absWorkingDir: process.cwd(),
      entryPoints: this.files,
      outbase: '.',
      outdir: BUNDLE,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      packages: 'external',
      alias: { '#platform': resolve('src/platform/node.ts') },
      logLevel: 'error',
    });
  }

  async dryRun() {
    Object.assign(context, { activeMutant: undefined, mutantCoverage: { static: {}, perTest: {} } });
    await this.#load();
    const result = await this.#run();
    const { perTest } = context.mutantCoverage;
    for (const [hook, tests] of this.#hooks) {
      for (const id of tests) {
        perTest[id] ??= {};
        for (const [mutant, count] of Object.entries(perTest[hook] ?? {})) perTest[id][mutant] = (perTest[id][mutant] ?? 0) + count;
      }
      delete perTest[hook];
    }
    return { ...result, mutantCoverage: context.mutantCoverage };
  }

  async mutantRun(options) {
    // Stryker runs a mutant again whose process has died.
    if (existsSync(`late-${options.activeMutant.id}`)) return { status: MutantRunStatus.Timeout };
    const { user, system } = process.cpuUsage();
    this.#deadline.set([(user + system) / 1000 + options.timeout - WAIT + PATIENCE, options.activeMutant.id]);
    try {
      return await this.#mutantRun(options);
    } finally {
      this.#deadline[0] = 0;
    }
  }

  async #mutantRun({ activeMutant, testFilter, disableBail, hitLimit, reloadEnvironment, mutantActivation }) {
    Object.assign(context, { hitLimit, hitCount: hitLimit === undefined ? undefined : 0, mutantCoverage: undefined });
    context.activeMutant = mutantActivation === 'static' ? activeMutant.id : undefined;
    if (reloadEnvironment || this.#loaded.length === 0) {
      try {
        await this.#load();
      } catch (error) {
        const failure = { status: TestStatus.Failed, id: 'load', name: 'load', timeSpentMs: 0, failureMessage: String(error) };
        return toMutantRunResult({ status: DryRunStatus.Complete, tests: [failure] });
      }
    }
    context.activeMutant = activeMutant.id;
    this.#bails = !disableBail;
    return toMutantRunResult(await this.#run(testFilter && new Set(testFilter)), disableBail);
  }

  /** Loads all test files and what they import anew: modules at another address are other modules. */
  async #load() {
    rmSync(`${BUNDLE}-${this.#loads++}`, { recursive: true, force: true });
    const folder = `${BUNDLE}-${this.#loads}`;
    cpSync(BUNDLE, folder, { recursive: true });
    this.#loaded = [];
    try {
      for (const name of this.files) {
        circus.resetState();
        await import(pathToFileURL(resolve(folder, name.replace(/\.ts$/, '.mjs'))).href);
        const state = circus.getState();
        // A run that ends early skips all tests; the next one is to know which run.
        for (const each of testsUnder(state.rootDescribeBlock)) each.given = each.mode;
        this.#loaded.push({ name, state });
      }
    } catch (error) {
      this.#loaded = [];
      throw error;
    }
  }

  /** Runs all tests, or those of the given ids. */
  async #run(wanted) {
    const results = [];
    this.#strays = [];
    for (const { name, state } of this.#loaded) {
      this.#file = name;
      const tests = testsUnder(state.rootDescribeBlock);
      for (const each of tests) {
        each.mode = wanted && !wanted.has(this.#idOf(each)) ? 'skip' : each.given;
        each.errors = [];
      }
      if (!tests.some(({ mode }) => mode !== 'skip')) continue;
      state.unhandledErrors = [];
      circus.setState(state);
      await circus.run();
      const { unhandledErrors } = state;
      results.push(...tests.filter(({ status }) => status === 'done').map((each) => this.#resultOf(each)));
      if (unhandledErrors.length > 0) results.push(this.#failure(unhandledErrors[0]));
      if (this.#bails && results.some(({ status }) => status === TestStatus.Failed)) break;
    }
    await new Promise((resolved) => setImmediate(resolved));
    if (this.#strays.length > 0) results.push(this.#failure(this.#strays[0]));
    const timeout = determineHitLimitReached(context.hitCount, context.hitLimit);
    return timeout ?? { status: DryRunStatus.Complete, tests: results };
  }

  #idOf(each) {
    return [this.#file, ...titlesOf(each)].join(' > ');
  }

  #resultOf(each) {
    const id = this.#idOf(each);
    const common = { id, name: id, timeSpentMs: each.duration ?? 0, fileName: resolve(this.#file) };
    if (each.errors.length === 0) return { ...common, status: TestStatus.Success };
    return { ...common, status: TestStatus.Failed, failureMessage: String([each.errors[0]].flat()[0]) };
  }

  #failure(error) {
    const id = `${this.#file} > outside of its tests`;
    return { id, name: id, timeSpentMs: 0, status: TestStatus.Failed, failureMessage: String([error].flat()[0]) };
  }

  #see({ name, test: each, hook, describeBlock }) {
    if (name === 'test_start') context.currentTestId = this.#idOf(each);
    else if (name === 'test_done') context.currentTestId = undefined;
    else if (name === 'hook_start' && hook.type === 'beforeAll') {
      const id = `hook ${this.#hooks.size}`;
      if (context.mutantCoverage)
        this.#hooks.set(
          id,
          testsUnder(describeBlock ?? hook.parent).map((under) => this.#idOf(under)),
        );
      context.currentTestId = id;
    } else if (name === 'hook_success' && hook.type === 'beforeAll') context.currentTestId = undefined;
    else if (this.#bails && (name === 'test_fn_failure' || name === 'hook_failure')) {
      for (const { state } of this.#loaded) for (const other of testsUnder(state.rootDescribeBlock)) other.mode = 'skip';
    }
  }
}

export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'circus', CircusRunner)];
export const strykerValidationSchema = { properties: { circus: { type: 'object' } } };
