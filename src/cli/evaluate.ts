import { Command } from 'commander';
import { InputError } from '../errors.js';
import { listLabelled } from '../evaluation/dataset.js';
import { evaluate as evaluateModel } from '../evaluation/metrics.js';
import { Images } from './images.js';
import { loadAs } from './models.js';
import {
  type Common,
  calibrationOption,
  examples,
  jsonOption,
  positiveInteger,
  precisionOption,
  simdOption,
  threadsOption,
  weightsOption,
} from './options.js';
import { milliseconds, percent, say, writeJson } from './output.js';
import { withProgress } from './progress.js';

interface Options extends Common {
  readonly weights: string;
  readonly images: string;
  readonly precision?: 'float32' | 'int8';
  readonly calibration?: string;
  readonly limit?: number;
  readonly json?: string;
}

export const evaluateCommand = () =>
  new Command('evaluate')
    .description('accuracy and latency of one model on a folder of labelled images')
    .addOption(weightsOption())
    .requiredOption('-i, --images <dir>', 'DIR/<class>/<image>; <class> is a label, a synset id or an index')
    .addOption(precisionOption())
    .addOption(calibrationOption())
    .option('-n, --limit <n>', 'images at most, class by class in turn', positiveInteger)
    .addOption(jsonOption())
    .addOption(threadsOption())
    .addOption(simdOption())
    .addHelpText('after', examples(['accuracy on a labelled folder', 'evaluate --weights model.safetensors --images validation/']))
    .action(evaluate);

async function evaluate(options: Options): Promise<void> {
  const { weights, precision, calibration, limit, json } = options;
  const model = await loadAs(weights, precision, calibration, options);
  const files = await listLabelled(options.images, model, limit);
  const images = new Images(model);
  const result = await withProgress('evaluating', files.length, (onProgress) =>
    evaluateModel(model, images.labelled(files), { onProgress }),
  );
  if (result.images === 0) throw new InputError(`none of the ${files.length} images of ${options.images} could be decoded.`);
  const { top1, top5, latencyMs } = result;
  say(
    json,
    `${model.architecture}, ${model.precision}, ${result.images} images${images.skipped.length ? `, ${images.skipped.length} skipped` : ''}`,
  );
  say(json, `top-1 ${percent(top1)}, top-5 ${percent(top5)}, median ${milliseconds(latencyMs.median)}`);
  if (json) {
    const { summary } = model;
    const { architecture, width, resolution, parameters, madds } = summary;
    await writeJson(json, {
      model: { architecture, width, resolution, parameters, madds },
      precision: model.precision,
      ...result,
      skipped: images.skipped,
    });
  }
}
