// Puts the pictures of a list into the queue:  node enqueue.mjs LIST   (a path or an URL a line, the same on every machine)
// Run it again after a crash: jobs that are there already are not added twice.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Queue } from 'bullmq';
import { CHUNK, connect, KEYS, QUEUE, RUN } from './run.mjs';

const [list] = process.argv.slice(2);
const pictures = [...new Set(readFileSync(list, 'utf8').split('\n').filter(Boolean))];
const redis = connect();
const queue = new Queue(QUEUE, { connection: redis });

const sha256 = createHash('sha256').update(pictures.join('\n')).digest('hex');
const before = await redis.get(KEYS.sha256);
if (before !== null && before !== sha256) throw new Error(`the run "${RUN}" has another list; give this one a name of its own: RUN=other`);
if (before === null) {
  await redis.del(KEYS.pictures); // of an attempt that was cut off
  for (let i = 0; i < pictures.length; i += 1000) await redis.rpush(KEYS.pictures, ...pictures.slice(i, i + 1000));
  await redis.set(KEYS.sha256, sha256);
}

const jobs = [];
for (let from = 0; from < pictures.length; from += CHUNK) {
  const to = Math.min(from + CHUNK, pictures.length);
  jobs.push({
    name: 'classify',
    data: { from, to },
    opts: { jobId: `chunk-${from}`, attempts: 5, backoff: { type: 'exponential', delay: 1000 } },
  });
}
for (let i = 0; i < jobs.length; i += 1000) await queue.addBulk(jobs.slice(i, i + 1000));
console.log(`${pictures.length} pictures in ${jobs.length} jobs`);
await queue.close();
redis.disconnect();
