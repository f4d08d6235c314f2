import { Command } from 'commander';
import type { Model } from '../model/model.js';
import type { Prediction } from '../tasks/classification.js';
import { loadAs } from './models.js';
import {
  type Bulk,
  calibrationOption,
  examples,
  jsonOption,
  listOption,
  positiveInteger,
  precisionOption,
  simdOption,
  threadsOption,
  weightsOption,
  workersOption,
} from './options.js';
import { percent, say, warn, writeJson } from './output.js';
import { answersOf, assign } from './pool.js';
import { withProgress } from './progress.js';
import { recordAll } from './run.js';
import { textTable } from './table.js';

interface Options extends Bulk {
  readonly top: number;
  readonly output?: string;
  readonly json?: string;
}

export const classifyCommand = () =>
  new Command('classify')
    .description('name what is in images')
    .argument('[input...]', 'image files, and folders of images')
    .addOption(weightsOption())
    .option('-o, --output <file>', 'write a line a picture to this .jsonl, and go on where an earlier run ended; - is standard output')
    .addOption(listOption())
    .addOption(precisionOption())
    .addOption(calibrationOption())
    .option('--top <n>', 'predictions for an image', positiveInteger, 5)
    .addOption(jsonOption('the predictions'))
    .addOption(workersOption())
    .addOption(threadsOption())
    .addOption(simdOption())
    .addHelpText(
      'after',
      examples(
        ['the five most probable classes of a picture', 'classify cat.jpg --weights model.safetensors'],
        ['a folder, as JSON', 'classify photos/ --weights model.safetensors --json -'],
        [
          'paths from another program, a line of JSON a picture',
          "find photos -name '*.jpg' | mobilenet-v3 classify --list - --weights model.safetensors --output -",
        ],
      ),
    )
    .action(classify);

async function classify(inputs: string[], options: Options): Promise<void> {
  const { weights, precision, calibration, top, output } = options;
  const assigned = await assign(inputs, options);
  if (!assigned) return;
  const { pictures, workers } = assigned;
  const model = await loadAs(weights, precision, calibration, options);
  if (output === undefined) await show(model, pictures, { ...options, workers });
  else await recordAll(model, { kind: 'classify', topK: top }, pictures, output, { ...options, workers });
}

/** A table a picture, as soon as it is known, or all of them as JSON. */
async function show(
  model: Model,
  pictures: readonly string[],
  { top, json, workers, ...common }: Options & { workers: number },
): Promise<void> {
  const results: { image: string; predictions: readonly Prediction[] }[] = [];
  await withProgress('classifying', pictures.length, async (step) => {
    for await (const answer of answersOf(model, { kind: 'classify', topK: top }, pictures, workers, common)) {
      step();
      if ('error' in answer) {
        warn(`skipped: ${answer.error}`);
        process.exitCode = 1;
      } else if ('predictions' in answer) {
        if (json) results.push(answer);
        sayPredictions(json, answer.image, answer.predictions);
      }
    }
  });
  if (json) await writeJson(json, results);
}

function sayPredictions(json: string | undefined, image: string, predictions: readonly Prediction[]): void {
  const table = textTable([image, '']);
  for (const { label, probability } of predictions) table.push([label, percent(probability)]);
  say(json, table.toString());
}
