import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../errors.js';
import type { Model } from '../model/model.js';

const IMAGE = /\.(jpe?g|png|webp)$/i;

export interface LabelledFile {
  readonly path: string;
  readonly label: number;
}

async function entries(directory: string) {
  try {
    return (await readdir(directory, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    throw new InputError(`the folder ${directory} cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

/** Every image below a folder, in the order of the names. */
export async function listImages(directory: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await entries(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) found.push(...(await listImages(path)));
    else if (IMAGE.test(entry.name)) found.push(path);
  }
  return found;
}

/** Images below a folder, whatever its folders are called: at most so many, evenly spread. */
export async function listUnlabelled(directory: string, limit = Number.POSITIVE_INFINITY): Promise<{ readonly path: string }[]> {
  const paths = await listImages(directory);
  if (paths.length === 0) throw new InputError(`${directory} holds no images; .jpg, .png and .webp are looked for.`);
  const step = Math.max(1, paths.length / limit);
  return Array.from({ length: Math.min(paths.length, limit) }, (_, i) => ({ path: paths[Math.floor(i * step)] as string }));
}

/**
 * The images of DIR/<class>/<image>, <class> being a label, an ImageNet synset id, or an index.
 *
 * @param limit images at most, taken class by class in turn, so that few images still are of many classes
 * @throws InputError for a folder that matches no class, or holds no image
 */
export async function listLabelled(directory: string, model: Model, limit = Number.POSITIVE_INFINITY): Promise<LabelledFile[]> {
  const resolve = await classResolver(model);
  const perClass: LabelledFile[][] = [];
  for (const entry of await entries(directory)) {
    const folder = join(directory, entry.name);
    if (!(await stat(folder)).isDirectory()) continue;
    const label = resolve(entry.name);
    if (label === undefined) {
      throw new InputError(
        `the folder "${basename(folder)}" matches no class of the model; name it after a label, an ImageNet synset id, or an index from 0 to ${model.classes - 1}.`,
      );
    }
    perClass.push((await listImages(folder)).map((path) => ({ path, label })));
  }
  const files: LabelledFile[] = [];
  const deepest = Math.max(0, ...perClass.map((paths) => paths.length));
  for (let i = 0; i < deepest; i++) for (const paths of perClass) if (paths[i]) files.push(paths[i] as LabelledFile);
  if (files.length === 0) throw new InputError(`${directory} holds no images; expected DIR/<class>/<image>.jpg, .png or .webp.`);
  return files.slice(0, limit);
}

/** From a folder's name to a class. ImageNet networks have 1000 classes, or 1001 with "background" first. */
async function classResolver(model: Model): Promise<(name: string) => number | undefined> {
  const byName = new Map(model.labels.map((label, i) => [label, i]));
  const offset = model.classes - 1000;
  if (offset === 0 || offset === 1) {
    const { SYNSETS } = await import('./imagenet.js');
    SYNSETS.forEach((synset, i) => {
      byName.set(synset, i + offset);
    });
  }
  return (name) => {
    const index = /^\d+$/.test(name) ? Number(name) : undefined;
    return byName.get(name) ?? (index !== undefined && index < model.classes ? index : undefined);
  };
}

/** ImageNet's names for networks of its size that carry none. */
export async function imagenetLabels(classes: number): Promise<string[] | undefined> {
  if (classes !== 1000 && classes !== 1001) return undefined;
  const { NAMES } = await import('./imagenet.js');
  return classes === 1001 ? ['background', ...NAMES] : [...NAMES];
}
