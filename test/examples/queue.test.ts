import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { listImages } from '../../src/evaluation/dataset.js';
import { loadModel } from '../../src/load.js';
import { EXAMPLES, installed, type Running, record, start } from './example.js';

// Several machines on one queue: three processes, of which one is killed in the middle of its work.

const execute = promisify(execFile);
const REDIS = '/usr/bin/redis-server';
const there = existsSync(REDIS) && installed('bullmq', 'ioredis', 'sharp');
const QUEUE = join(EXAMPLES, 'queue');

const freePort = () =>
  new Promise<number>((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => found(port));
    });
  });

(there ? it : it.skip)(
  'queue: a worker is killed, and nothing is lost or done twice (Debian: redis-server)',
  async () => {
    const started = performance.now();
    const folder = mkdtempSync(join(tmpdir(), 'mobilenet-v3-queue-'));
    const bad = join(folder, 'bad.jpg');
    writeFileSync(bad, 'no picture');
    const calibration = await listImages(resolve('images/calibration'));
    const validation = (await listImages(resolve('images/validation'))).slice(0, 200);
    const pictures = [...calibration, bad, ...validation];
    const list = join(folder, 'list.txt');
    writeFileSync(list, `${pictures.join('\n')}\n`);

    const port = await freePort();
    const env = { REDIS: `redis://127.0.0.1:${port}`, RUN: 'test', CHUNK: '16', WORKERS: '1', SILENCE_MILLISECONDS: '3000' };
    const run = (program: string, ...args: string[]) =>
      execute(process.execPath, [program, ...args], { cwd: QUEUE, env: { ...process.env, ...env } });
    const redis = start(REDIS, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'], folder);
    const workers: Running[] = [];
    try {
      await redis.line(/Ready to accept connections/);
      expect((await run('enqueue.mjs', list)).stdout).toBe('301 pictures in 19 jobs\n');
      // Twice: after a crash nobody knows how far it came.
      expect((await run('enqueue.mjs', list)).stdout).toBe('301 pictures in 19 jobs\n');

      for (let i = 0; i < 3; i++) workers.push(start(process.execPath, ['worker.mjs'], QUEUE, env));
      // The first to have begun its third job is killed in the middle of it.
      const victim = await Promise.race(
        workers.map(async (worker) => {
          await worker.count(/^computing /, 2 * 16 + 5);
          return worker;
        }),
      );
      await victim.stop('SIGKILL');
      const output = join(folder, 'predictions.jsonl');
      await run('collect.mjs', output);
      for (const worker of workers) await worker.stop('SIGTERM');

      const lines = readFileSync(output, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(lines.map(({ image }) => image)).toEqual(pictures);
      expect(lines.filter(({ error }) => error).map(({ image }) => image)).toEqual([bad]);
      const model = await loadModel('checkpoints/mobilenet_v3_small.safetensors');
      for (const { image, predictions } of lines.filter(({ error }, i) => !error && i % 10 === 0)) {
        expect(predictions).toEqual(await model.classify(image, { topK: 3 }));
      }
      model.dispose();
      // Computed twice is what the killed worker had in hand and nothing else.
      const computed = workers.flatMap((worker) => worker.all(/^computing (.*)$/).map(([, image]) => image as string));
      expect(new Set(computed).size).toBe(pictures.length);
      const again = computed.length - pictures.length;
      expect(again).toBeLessThanOrEqual(1);
      const last = victim.all(/^computing (.*)$/).at(-1)?.[1];
      expect(computed.filter((image, i) => computed.indexOf(image) !== i)).toEqual(again === 1 ? [last] : []);
      record(
        'queue',
        `${pictures.length} pictures, 3 workers, 1 killed: each has one line; ${again} computed again, which it had in hand`,
        started,
      );
    } finally {
      for (const worker of workers) await worker.stop('SIGKILL');
      await redis.stop();
      rmSync(folder, { recursive: true });
    }
  },
  180_000,
);
