import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { ImageError, InputError } from '../errors.js';
import { listImages } from '../evaluation/dataset.js';
import type { Model } from '../model/model.js';
import type { Prediction } from '../tasks/classification.js';

// What the commands that take any number of pictures have in common: which ones, and what becomes of one.

/** What is asked of each picture. */
export type Task = { readonly kind: 'classify'; readonly topK: number } | { readonly kind: 'embed'; readonly normalize: boolean };

/** What became of a picture. A picture that cannot be read costs one answer and no more. */
export type Answer =
  | { readonly image: string; readonly predictions: readonly Prediction[] }
  | { readonly image: string; readonly embedding: Float32Array }
  | { readonly image: string; readonly error: string };

/** The paths of a list, one a line; '-' is standard input. */
async function listed(file: string): Promise<string[]> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  const paths: string[] = [];
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) if (line !== '') paths.push(line);
  } catch (cause) {
    throw new InputError(`the list ${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  return paths;
}

/**
 * Files as they are given, folders as the images below them, and a list's lines, in this order, each picture once.
 *
 * @throws InputError where there is none
 */
export async function picturesOf(inputs: readonly string[], list: string | undefined): Promise<string[]> {
  const found: string[] = [];
  for (const input of inputs) {
    const isFolder = await stat(input).then(
      (entry) => entry.isDirectory(),
      () => false,
    );
    if (isFolder) for (const path of await listImages(input)) found.push(path);
    else found.push(input);
  }
  if (list !== undefined) for (const path of await listed(list)) found.push(path);
  if (found.length > 0) return [...new Set(found)]; // each once, however often it is named
  throw new InputError(
    `expected pictures, or folders of .jpg, .png or .webp files; got ${[...inputs, list ?? ''].join(' ').trim() || 'none'}.`,
  );
}

/** Does the task for one picture. @throws for what is not the picture's fault, such as a missing decoder */
export async function answerFor(model: Model, task: Task, image: string): Promise<Answer> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(image);
  } catch (error) {
    return { image, error: `${image} cannot be read: ${(error as Error).message}.` };
  }
  try {
    if (task.kind === 'classify') return { image, predictions: await model.classify(bytes, { topK: task.topK }) };
    return { image, embedding: await model.embed(bytes, { normalize: task.normalize }) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { image, error: error.message };
  }
}
