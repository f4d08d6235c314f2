import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fuse } from '../../src/graph/fusion.js';
import { localModel } from '../../src/model/local-model.js';
import { randomNetwork } from '../random-network.js';
import { ENGINES, type OpenEngine } from './engines.js';
import { openSite, type Site } from './site.js';

// Whether memory stays flat over thousands of inferences and an hour of a camera. npm run soak:browsers runs it; CI does not.

const OUTPUT = 'bench/results/long-use.txt';
/** An hour of a camera is 36,000 frames, at ten a second; small ones, which are done in minutes. */
const KINDS = {
  predict: { title: 'inferences', count: 10_000, options: { resolution: 96 } },
  watch: { title: 'camera frames', count: 36_000, options: { classes: 5, width: 0.35, resolution: 32 } },
};
const WAYS = [false, true].flatMap((worker) => (['predict', 'watch'] as const).map((what) => ({ what, ...KINDS[what], worker })));
const MILLISECONDS = 60 * 60_000;
const SAMPLE_MILLISECONDS = 500;
/** A browser's caches and garbage come and go by as much; 36,000 frames that leave 2 KB each leave more. */
const SLACK_BYTES = 64 * 2 ** 20;

/** Resident bytes of this process' descendants, shared pages counted once among all who share them: run no other browser beside. */
function residentBytes(): number {
  const parents = new Map<number, number>();
  const files = (name: string, read: (text: string) => void) => {
    try {
      read(readFileSync(`/proc/${name}`, 'utf8'));
    } catch {
      // It has ended meanwhile.
    }
  };
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    files(`${pid}/stat`, (stat) => parents.set(Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])));
  }
  const isOurs = (pid = 0): boolean => pid > 1 && (parents.get(pid) === process.pid || isOurs(parents.get(pid)));
  let sum = 0;
  for (const pid of [...parents.keys()].filter(isOurs)) {
    files(`${pid}/smaps_rollup`, (text) => {
      sum += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024;
    });
  }
  return sum;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] as number;
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);

/** In place of what an earlier run found in the same way. */
function report(way: string, found: string) {
  const before = existsSync(OUTPUT) ? readFileSync(OUTPUT, 'utf8').trim().split('\n') : [];
  const lines = [...before.filter((line) => !line.startsWith(`${way}: `)), `${way}: ${found}`];
  writeFileSync(OUTPUT, `${lines.sort().join('\n')}\n`);
}

let site: Site;
beforeAll(async () => {
  site = await openSite('long-use-page');
  for (const [what, { options }] of Object.entries(KINDS)) {
    site.serve(`/weights/${what}`, (await localModel(fuse(randomNetwork('mobilenet_v3_small', options)))).save());
  }
});
afterAll(() => site?.close());

describe.each(ENGINES)('$name (Debian: $debianPackages)', ({ name, installed, open }) => {
  let engine: OpenEngine;
  beforeEach(async () => {
    if (installed) engine = await open();
  });
  afterEach(() => engine?.close());

  (installed ? it : it.skip).each(WAYS)(
    'takes no more memory in the end: $count $title, worker: $worker',
    async ({ what, title, count, worker }) => {
      const tab = await engine.newTab();
      await tab.goto(`${site.address}long-use-page?${new URLSearchParams({ what, count: `${count}`, worker: `${worker}` })}`);
      const samples: number[] = [];
      const begun = Date.now();
      const timer = setInterval(() => samples.push(residentBytes()), SAMPLE_MILLISECONDS);
      const result = await tab.result(MILLISECONDS).finally(() => clearInterval(timer));
      const seconds = ((Date.now() - begun) / 1000).toFixed(0);
      expect(result).not.toHaveProperty('error');
      const { warmBytes, totalBytes } = result as { warmBytes: number; totalBytes: number };
      const quarter = samples.length >> 2;
      const [second, last] = [median(samples.slice(quarter, 2 * quarter)), median(samples.slice(-quarter))];
      report(
        `${name}, ${title}${worker ? ' in a worker' : ''}`,
        `${count} in ${seconds} s; the browser's processes hold ${megabytes(second)} MB in the second quarter, ` +
          `${megabytes(last)} MB in the last (medians); WebAssembly ${megabytes(warmBytes)} MB after 20, ${megabytes(totalBytes)} MB in the end ` +
          `(${new Date().toISOString().slice(0, 10)})`,
      );
      expect(totalBytes).toBe(warmBytes);
      expect(last).toBeLessThan(second + SLACK_BYTES);
    },
    MILLISECONDS + 60_000,
  );
});
