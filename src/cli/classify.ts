import Table from 'cli-table3';
import { Command } from 'commander';
import { ImageError } from '../errors.js';
import type { Prediction } from '../tasks/classification.js';
import { loadAs } from './models.js';
import {
  type Common,
  calibrationOption,
  jsonOption,
  positiveInteger,
  precisionOption,
  simdOption,
  threadsOption,
  weightsOption,
} from './options.js';
import { percent, say, warn, writeJson } from './output.js';

interface Options extends Common {
  readonly weights: string;
  readonly precision?: 'float32' | 'int8';
  readonly calibration?: string;
  readonly top: number;
  readonly json?: string;
}

export const classifyCommand = () =>
  new Command('classify')
    .description('name what is in images')
    .argument('<image...>', 'image files')
    .addOption(weightsOption())
    .addOption(precisionOption())
    .addOption(calibrationOption())
    .option('--top <n>', 'predictions for an image', positiveInteger, 5)
    .addOption(jsonOption('the predictions'))
    .addOption(threadsOption())
    .addOption(simdOption())
    .action(classify);

async function classify(images: string[], options: Options): Promise<void> {
  const { weights, precision, calibration, top, json } = options;
  const model = await loadAs(weights, precision, calibration, options);
  const results: { image: string; predictions: Prediction[] }[] = [];
  const failed: string[] = [];
  for (const image of images) {
    try {
      results.push({ image, predictions: await model.classify(image, { topK: top }) });
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      failed.push(image);
      warn(`skipped: ${error.message}`);
    }
  }
  for (const { image, predictions } of results) {
    const table = new Table({ head: [image, ''], style: { head: [], border: [] }, colAligns: ['left', 'right'] });
    for (const { label, probability } of predictions) table.push([label, percent(probability)]);
    say(json, table.toString());
  }
  if (json) await writeJson(json, results);
  if (failed.length > 0) process.exitCode = 1;
}
