import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from 'puppeteer-core';

// What the tests of examples/ share. Both packages are in examples/node_modules as npm would publish them (scripts/examples-for-tests.mjs).

export const EXAMPLES = resolve('examples');
const MODULES = join(EXAMPLES, 'node_modules');
const RESULTS = resolve('build/examples/results');

/** Whether `npm run test:examples` has installed what only some examples need. */
export const installed = (...names: string[]): boolean => names.every((name) => existsSync(join(MODULES, name)));

/** A program that npm installs for this platform; empty where it is not installed. Its own postinstall script is not needed. */
function program(scope: string, file: string): string {
  const folder = join(MODULES, scope);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.map((name) => join(folder, name, file)).find((path) => existsSync(path)) ?? '';
}
export const DENO = program('@deno', 'deno');
export const BUN = program('@oven', 'bin/bun');
export const WORKERD = program('@cloudflare', 'bin/workerd');

/** A picture of the repository, and the label that is right for it. */
export const PICTURES = {
  dog: { file: resolve('images/validation/0171/0.jpg'), label: '🐶 dog face' },
  panda: { file: resolve('images/validation/0196/0.jpg'), label: '🐼 panda' },
  owl: { file: resolve('images/validation/0210/0.jpg'), label: '🦉 owl' },
  guitar: { file: resolve('images/validation/0605/0.jpg'), label: '🎸 guitar' },
} as const;

/** One line of the table in examples/README.md. */
export function record(example: string, seen: string, started: number): void {
  mkdirSync(RESULTS, { recursive: true });
  const seconds = (performance.now() - started) / 1000;
  writeFileSync(join(RESULTS, `${example}.json`), JSON.stringify({ example, seen, seconds }));
}

/** What the page shows, for a person to look at: build/examples/NAME.png. */
export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(resolve('build/examples'), { recursive: true });
  await page.screenshot({ path: resolve(`build/examples/${name}.png`) as `${string}.png` });
}

/** A program of an example, until `stop()`. */
export interface Running {
  readonly child: ChildProcess;
  /** The first line of standard output or error that matches, once there is one. */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Waits for so many lines that match. */
  count(pattern: RegExp, lines: number): Promise<void>;
  /** The lines so far that match. */
  all(pattern: RegExp): RegExpExecArray[];
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function start(command: string, args: readonly string[], folder: string, env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(command, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const lines: string[] = [];
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const heard of listeners) heard();
    });
  }
  const ended = once(child, 'close');
  const all = (pattern: RegExp) => lines.map((line) => pattern.exec(line)).filter((match) => match !== null);
  const count = (pattern: RegExp, wanted: number) =>
    new Promise<void>((found, failed) => {
      const look = () => {
        if (all(pattern).length < wanted) return;
        listeners.delete(look);
        found();
      };
      listeners.add(look);
      look();
      ended.then(() => failed(new Error(`${command} ended without ${wanted} lines like ${pattern}:\n${lines.join('\n')}`)), failed);
    });
  return {
    child,
    all,
    count,
    line: async (pattern) => {
      await count(pattern, 1);
      return all(pattern)[0] as RegExpExecArray;
    },
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}
