import { Command } from 'commander';
import { loadAs } from './models.js';
import {
  type Bulk,
  calibrationOption,
  listOption,
  precisionOption,
  simdOption,
  threadsOption,
  weightsOption,
  workersOption,
} from './options.js';
import { assign } from './pool.js';
import { recordAll } from './run.js';

interface Options extends Bulk {
  readonly output: string;
  readonly normalize?: boolean;
}

export const embedCommand = () =>
  new Command('embed')
    .description('write the features of images, for search, clustering or training')
    .argument('[input...]', 'image files, and folders of images')
    .addOption(weightsOption())
    .requiredOption(
      '-o, --output <file>',
      'a matrix .npy with its pictures in a .jsonl beside it, or .jsonl; - is lines to standard output',
    )
    .addOption(listOption())
    .option('--normalize', 'scale each embedding to length 1, so that a dot product is the cosine similarity')
    .addOption(precisionOption())
    .addOption(calibrationOption())
    .addOption(workersOption())
    .addOption(threadsOption())
    .addOption(simdOption())
    .action(embed);

async function embed(inputs: string[], options: Options): Promise<void> {
  const { weights, precision, calibration, output, normalize = false } = options;
  const assigned = await assign(inputs, options);
  if (!assigned) return;
  const { pictures, workers } = assigned;
  const model = await loadAs(weights, precision, calibration, options);
  await recordAll(model, { kind: 'embed', normalize }, pictures, output, { ...options, workers });
}
