import { Command } from 'commander';
import { loadAs } from './models.js';
import {
  type Bulk,
  calibrationOption,
  examples,
  jsonOption,
  listOption,
  precisionOption,
  simdOption,
  threadsOption,
  weightsOption,
  workersOption,
} from './options.js';
import { checkOutputs, writeJson } from './output.js';
import { assign } from './pool.js';
import { recordAll } from './run.js';

interface Options extends Bulk {
  readonly output: string;
  readonly normalize?: boolean;
  readonly json?: string;
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
    .addOption(jsonOption('how many pictures were read'))
    .addOption(workersOption())
    .addOption(threadsOption())
    .addOption(simdOption())
    .addHelpText(
      'after',
      examples(
        ['a matrix for numpy.load', 'embed photos/ --weights model.safetensors --output features.npy'],
        ['a line of JSON a picture, of length 1', 'embed photos/ --weights model.safetensors --output - --normalize'],
      ),
    )
    .action(embed);

async function embed(inputs: string[], options: Options): Promise<void> {
  const { weights, precision, calibration, output, normalize = false, json } = options;
  checkOutputs({ output, json });
  const assigned = await assign(inputs, options);
  if (!assigned) return;
  const { pictures, workers } = assigned;
  const model = await loadAs(weights, precision, calibration, options);
  const counts = await recordAll(model, { kind: 'embed', normalize }, pictures, output, { ...options, workers });
  if (json) await writeJson(json, counts);
}
