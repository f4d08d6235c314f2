// Works on the queue, a model a core. Start one on each machine:  REDIS=redis://queue:6379 WEIGHTS=model.safetensors node worker.mjs
import { availableParallelism, hostname } from 'node:os';
import { Worker } from 'bullmq';
import { loadModel } from 'mobilenet-v3-wasm';
import { connect, KEYS, QUEUE } from './run.mjs';

const WEIGHTS = process.env.WEIGHTS ?? new URL('../../checkpoints/mobilenet_v3_small.safetensors', import.meta.url);
const WORKERS = Number(process.env.WORKERS ?? availableParallelism());
/** A worker that is silent for so long is taken for dead, and its job is given to another. */
const SILENCE_MILLISECONDS = Number(process.env.SILENCE_MILLISECONDS ?? 30_000);

const redis = connect();
const idle = await Promise.all(Array.from({ length: WORKERS }, () => loadModel(WEIGHTS, { worker: true })));

/** A picture that cannot be read costs its own record and no more. What else goes wrong fails the job, which is tried again. */
async function recordOf(model, image) {
  try {
    return { image, predictions: await model.classify(image, { topK: 3 }) };
  } catch (error) {
    if (!['ERR_IMAGE', 'ERR_INPUT'].includes(error.code)) throw error;
    return { image, error: error.message };
  }
}

const worker = new Worker(
  QUEUE,
  async ({ data: { from, to } }) => {
    const model = idle.pop();
    try {
      const pictures = await redis.lrange(KEYS.pictures, from, to - 1);
      // What a dead worker has recorded of this job is done.
      const known = await redis.hmget(KEYS.records, ...pictures);
      for (const [i, image] of pictures.entries()) {
        if (known[i] !== null) continue;
        console.log(`computing ${image}`);
        await redis.hsetnx(KEYS.records, image, JSON.stringify(await recordOf(model, image)));
      }
    } finally {
      idle.push(model);
    }
  },
  {
    connection: connect(),
    concurrency: WORKERS,
    lockDuration: SILENCE_MILLISECONDS,
    stalledInterval: SILENCE_MILLISECONDS,
    maxStalledCount: 3, // a job that has killed four workers is left to a person: collect.mjs names it
  },
);
worker.on('failed', (job, error) => console.error(`job ${job?.id} failed: ${error.message}`));
worker.on('error', (error) => console.error(error.message));
console.log(`${hostname()} works, ${WORKERS} models`);

// What was begun is finished first.
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await worker.close();
    for (const model of idle) model.dispose();
    redis.disconnect();
    process.exit(0);
  });
}
