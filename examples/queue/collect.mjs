// Waits until all is done, and writes a line a picture in the list's order:  node collect.mjs OUTPUT.jsonl

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { connect, KEYS, QUEUE } from './run.mjs';

const [output] = process.argv.slice(2);
const redis = connect();
const queue = new Queue(QUEUE, { connection: redis });
const total = await redis.llen(KEYS.pictures);

for (;;) {
  const done = await redis.hlen(KEYS.records);
  process.stderr.write(`${done} of ${total} pictures\n`);
  const { waiting = 0, active = 0, delayed = 0, failed = 0, prioritized = 0 } = await queue.getJobCounts();
  if (waiting + active + delayed + prioritized === 0) {
    if (failed > 0)
      throw new Error(
        `jobs that failed for good: ${(await queue.getFailed()).map(({ id, failedReason }) => `${id} (${failedReason})`).join(', ')}`,
      );
    break;
  }
  await setTimeout(1000);
}

const file = createWriteStream(output);
for (let from = 0; from < total; from += 1000) {
  const pictures = await redis.lrange(KEYS.pictures, from, from + 999);
  for (const [i, record] of (await redis.hmget(KEYS.records, ...pictures)).entries()) {
    if (record === null) throw new Error(`${pictures[i]} has no record, though no job is left`);
    if (!file.write(`${record}\n`)) await once(file, 'drain');
  }
}
file.end();
await once(file, 'finish');
// The run is over: Redis forgets it.
await queue.obliterate({ force: true });
await redis.del(...Object.values(KEYS));
await queue.close();
redis.disconnect();
