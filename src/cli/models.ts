import { createHash } from 'node:crypto';
import { relative } from 'node:path';
import { InputError } from '../errors.js';
import { imagenetLabels, listImages } from '../evaluation/dataset.js';
import { loadLocalModel, sessionOf } from '../model/local-model.js';
import type { Model } from '../model/model.js';
import { quantizeLocal } from '../model/quantize.js';
import { calibrate, type QuantizeOptions } from '../quantization/calibrate.js';
import type { Calibration } from '../quantization/observe.js';
import { Images } from './images.js';
import type { Common } from './options.js';
import { withProgress } from './progress.js';

/** Loads a file as the precision asked for; a network of ImageNet's size that names no classes gets ImageNet's. */
export async function load(weights: string, precision: 'float32' | undefined, common: Partial<Common> = {}): Promise<Model> {
  const options = { ...common, ...(precision ? { precision } : {}) };
  const model = await loadLocalModel(weights, options);
  if (model.hasLabels) return model;
  const labels = await imagenetLabels(model.classes);
  if (!labels) return model;
  model.dispose();
  return loadLocalModel(weights, { ...options, labels });
}

/** Images for calibration: where a folder holds more than are wanted, evenly spread, or drawn by a seed. */
export async function calibrationFiles(directory: string, limit: number, seed?: number): Promise<string[]> {
  const all = await listImages(directory);
  if (all.length === 0) throw new InputError(`${directory} holds no images to calibrate on; expected .jpg, .png or .webp files.`);
  if (all.length <= limit) return all;
  if (seed !== undefined) {
    const key = (path: string) =>
      createHash('sha256')
        .update(`${seed} ${relative(directory, path)}`)
        .digest('hex');
    const keyed = all.map((path) => [key(path), path] as const).sort(([a], [b]) => (a < b ? -1 : 1));
    return keyed.slice(0, limit).map(([, path]) => path);
  }
  return Array.from({ length: limit }, (_, i) => all[Math.floor((i * all.length) / limit)] as string);
}

export async function quantizeOn(
  model: Model,
  files: readonly string[],
  options: Omit<QuantizeOptions, 'onProgress'> = {},
): Promise<Model> {
  const images = new Images(model);
  return withProgress('quantizing', files.length + sessionOf(model).network.weights.size, (onProgress) =>
    quantizeLocal(model, images.unlabelled(files), { ...options, onProgress }),
  );
}

/** What calibration sees, for whoever quantizes in several ways. */
export async function calibrateOn(model: Model, files: readonly string[], histograms: boolean): Promise<Calibration> {
  const images = new Images(model);
  return withProgress('calibrating', files.length, (onProgress) =>
    calibrate(sessionOf(model), images.unlabelled(files), { histograms, onProgress }),
  );
}

/** A file as the wanted precision; float32 weights become int8 by calibration. */
export async function loadAs(
  weights: string,
  precision: 'float32' | 'int8' | undefined,
  calibration: string | undefined,
  common: Common,
): Promise<Model> {
  const model = await load(weights, precision === 'float32' ? precision : undefined, common);
  if (precision !== 'int8' || model.precision === 'int8') return model;
  if (!calibration) {
    throw new InputError(
      `${weights} holds float32 weights; to run them as int8, add --calibration DIR or give a file that the quantize command made.`,
    );
  }
  return quantizeOn(model, await calibrationFiles(calibration, 100));
}
