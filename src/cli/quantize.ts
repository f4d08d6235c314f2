import { Command } from 'commander';
import { calibrationFiles, load, quantizeOn } from './models.js';
import { type Common, calibrationOption, positiveInteger, simdOption, threadsOption, weightsOption } from './options.js';
import { megabytes, write } from './output.js';

interface Options extends Common {
  readonly weights: string;
  readonly calibration: string;
  readonly limit: number;
  readonly output: string;
}

export const quantizeCommand = () =>
  new Command('quantize')
    .description('make an int8 file of a float32 model, from a few unlabelled images')
    .addOption(weightsOption())
    .addOption(calibrationOption().makeOptionMandatory())
    .option('-n, --limit <n>', 'calibration images at most', positiveInteger, 100)
    .requiredOption('-o, --output <file>', 'the int8 file to write, .safetensors')
    .addOption(threadsOption())
    .addOption(simdOption())
    .action(quantize);

async function quantize(options: Options): Promise<void> {
  const model = await load(options.weights, 'float32', options);
  const files = await calibrationFiles(options.calibration, options.limit);
  const int8 = await quantizeOn(model, files);
  const bytes = int8.save();
  await write(options.output, bytes);
  if (options.output !== '-') {
    const float = model.save().byteLength;
    process.stdout.write(
      `${options.output}: ${megabytes(bytes.byteLength)}, float32 ${megabytes(float)}; calibrated on ${files.length} images\n`,
    );
  }
}
