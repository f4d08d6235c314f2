// What the three programs agree on. A run has a name; Redis holds its list of pictures, its jobs, and a record for each picture.
import { Redis } from 'ioredis';

export const RUN = process.env.RUN ?? 'pictures';
export const QUEUE = `mobilenet-${RUN}`;
/** Of the run: a list of paths or URLs in their order, a hash from each to its record, and the list's own hash. */
export const KEYS = { pictures: `${QUEUE}:list`, records: `${QUEUE}:records`, sha256: `${QUEUE}:sha256` };
/** Pictures of one job: enough that the queue costs nothing, few enough that a dead worker's share is soon done. */
export const CHUNK = Number(process.env.CHUNK ?? 32);

/** BullMQ waits for jobs by commands that must be repeated for as long as it takes. */
export const connect = () => new Redis(process.env.REDIS ?? 'redis://127.0.0.1:6379', { maxRetriesPerRequest: null });
