import { createHash } from 'node:crypto';
import type { Model } from '../model/model.js';
import type { Common } from './options.js';
import { warn } from './output.js';
import type { Task } from './pictures.js';
import { answersOf } from './pool.js';
import { withProgress } from './progress.js';
import { type Origin, Records } from './records.js';

/** Ended by Ctrl-C, as a shell tells it. */
const INTERRUPTED = 130;

/** What makes two runs alike: the model's own bytes, and the task. */
function originOf(model: Model, task: Task): Origin {
  const sha256 = createHash('sha256').update(model.save()).digest('hex');
  const { kind, ...options } = task;
  return { command: kind, architecture: model.architecture, precision: model.precision, sha256, ...options };
}

/** Pictures: read now, of them unreadable, read by an earlier run, and not read yet. */
export type Counts = Readonly<Record<'done' | 'failed' | 'before' | 'left', number>>;

/** How many values embed() gives. */
const featuresOf = async (model: Model) => (await model.embed({ data: new Float32Array(32 * 32 * 3), shape: [1, 32, 32, 3] })).length;

/** Does the task for every picture that has no record yet, and writes one for each. */
export async function recordAll(
  model: Model,
  task: Task,
  pictures: readonly string[],
  output: string,
  { workers, ...common }: Common & { readonly workers: number },
): Promise<Counts> {
  const records = await Records.open(output, originOf(model, task), task.kind === 'embed' ? await featuresOf(model) : undefined);
  const remaining = pictures.filter((picture) => !records.done.has(picture));
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  let done = 0;
  let failed = 0;
  try {
    await withProgress(task.kind, remaining.length, async (step) => {
      for await (const answer of answersOf(model, task, remaining, workers, common)) {
        await records.add(answer);
        done++;
        if ('error' in answer) failed++;
        step();
        if (interrupted) break;
      }
    });
  } finally {
    await records.close();
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
  const counts = { done, failed, before: pictures.length - remaining.length, left: remaining.length - done };
  tell(counts);
  if (interrupted) process.exitCode = INTERRUPTED;
  else if (failed > 0) process.exitCode = 1;
  return counts;
}

function tell({ done, failed, before, left }: Counts): void {
  const count = (n: number) => n.toLocaleString('en');
  const parts = [`${count(done)} pictures`];
  if (before > 0) parts.push(`${count(before)} were done before`);
  if (failed > 0) parts.push(`${count(failed)} could not be read, and have a line that says why`);
  if (left > 0) parts.push(`${count(left)} are left: the same command goes on`);
  warn(`${parts.join('; ')}.`);
}
