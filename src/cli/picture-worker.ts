// A thread of the pool that goes through pictures: it has the model that the command loaded, and the same answer for each picture.
import { workerData } from 'node:worker_threads';
import { loadLocalModel } from '../model/local-model.js';
import type { LoadOptions, Model } from '../model/model.js';
import { type Answer, answerFor, type Task } from './pictures.js';

/** What each thread is given when it starts. */
export interface PoolData {
  /** The model, as save() writes it. */
  readonly model: Uint8Array;
  readonly options: Pick<LoadOptions, 'threads' | 'simd'>;
  readonly task: Task;
}

let model: Promise<Model> | undefined;

export default async function answer(image: string): Promise<Answer> {
  const { model: bytes, options, task } = workerData as PoolData;
  model ??= loadLocalModel(bytes, options);
  return answerFor(await model, task, image);
}
