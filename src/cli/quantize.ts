import Table from 'cli-table3';
import { Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../errors.js';
import { quantizationPage, quantizationReport } from '../evaluation/quantization-report.js';
import type { Frontier } from '../quantization/frontier.js';
import { Images } from './images.js';
import { calibrationFiles, load, quantizeOn } from './models.js';
import {
  type Common,
  calibrationOption,
  examples,
  jsonOption,
  positiveInteger,
  seedOption,
  simdOption,
  threadsOption,
  weightsOption,
} from './options.js';
import { checkOutputs, megabytes, percent, say, write, writeJson } from './output.js';
import { withProgress } from './progress.js';

interface Options extends Common {
  readonly weights: string;
  readonly calibration: string;
  readonly limit: number;
  readonly output: string;
  readonly seed?: number;
  readonly keepFloat?: string[];
  readonly maxDrop?: number;
  readonly rounding: 'output' | 'nearest';
  readonly activations?: '8' | '16';
  readonly budget?: number;
  readonly report?: string;
  readonly json?: string;
}

export const quantizeCommand = () =>
  new Command('quantize')
    .description('make an int8 file of a float32 model, from a few unlabelled images')
    .addOption(weightsOption())
    .addOption(calibrationOption().makeOptionMandatory())
    .option('-n, --limit <n>', 'calibration images at most', positiveInteger, 100)
    .requiredOption('-o, --output <file>', 'the int8 file to write, .safetensors')
    .addOption(seedOption())
    .addOption(
      new Option('--rounding <how>', "of filters: for the least error of each layer's output, or each weight by itself, which is quick")
        .choices(['output', 'nearest'])
        .default('output'),
    )
    .addOption(new Option('--activations <bits>', 'bits of activations; 16, and 8 with a budget').choices(['8', '16']))
    .option(
      '--budget <percent>',
      'of images that are to keep their class: activations get 8 bits where they can, and 16 where they must, at the fewest estimated cycles',
      percentage,
    )
    .option('--keep-float <layer...>', 'layers, by name as inspect and bench show them, that stay in float32')
    .option('--max-drop <points>', 'keep the most harmful layers in float32 until at most so many in a hundred images change class', points)
    .option('--report <file>', 'what each layer loses and why, .html or .json')
    .addOption(jsonOption('what was made'))
    .addOption(threadsOption())
    .addOption(simdOption())
    .addHelpText(
      'after',
      examples(
        ['from a hundred pictures without labels', 'quantize --weights model.safetensors --calibration images/ --output int8.safetensors'],
        [
          'in a second or two, with a report of what each layer loses',
          'quantize --weights model.safetensors --calibration images/ --output int8.safetensors --rounding nearest --report report.html',
        ],
      ),
    )
    .action(quantize);

/** Images that a report looks at, and in which --max-drop counts. */
const REPORT_IMAGES = 32;

function points(text: string): number {
  const value = Number(text);
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError('expected a number of points from 0 to 100.');
  return value;
}

function percentage(text: string): number {
  const value = Number(text.replace(/%$/, ''));
  if (!(value >= 0 && value <= 100)) throw new InvalidArgumentError('expected a percentage from 0 to 100.');
  return value;
}

async function quantize(options: Options): Promise<void> {
  const { weights, calibration, limit, output, seed, keepFloat, maxDrop, rounding, budget, report, json } = options;
  const activations = options.activations ?? (budget === undefined ? '16' : '8');
  checkOutputs({ output, report, json });
  if (report && !/\.(html|json)$/.test(report)) throw new InputError(`--report must name a .html or .json file; got ${report}.`);
  const model = await load(weights, 'float32', options);
  const files = await calibrationFiles(calibration, limit, seed);
  let bits: Frontier | undefined;
  const int8 = await quantizeOn(model, files, {
    rounding,
    activations: activations === '8' ? 8 : 16,
    ...(keepFloat ? { keepFloat } : {}),
    ...(maxDrop === undefined ? {} : { maxDrop: maxDrop / 100 }),
    ...(budget === undefined ? {} : { budget: budget / 100, onFrontier: (frontier) => (bits = frontier) }),
  });
  const bytes = int8.save();
  await write(output, bytes);
  if (report) {
    const some = files.slice(0, REPORT_IMAGES);
    const result = await withProgress('looking at layers', int8.summary.layers.filter(({ madds }) => madds > 0).length, (step) =>
      quantizationReport(model, int8, new Images(model).unlabelled(some), step, bits),
    );
    if (report.endsWith('.json')) await writeJson(report, result);
    else await write(report, quantizationPage(result));
  }
  const floatBytes = model.save().byteLength;
  const { floatLayers } = int8;
  if (output !== '-') {
    say(json, `${output}: ${megabytes(bytes.byteLength)}, float32 ${megabytes(floatBytes)}; calibrated on ${files.length} images`);
    if (bits) say(json, describe(bits));
    if (floatLayers.length > 0) say(json, `in float32: ${floatLayers.join(', ')}`);
  }
  if (json) {
    const { architecture } = model;
    const wide = bits ? { wide: bits.chosen.wide } : {};
    await writeJson(json, {
      architecture,
      output,
      bytes: bytes.byteLength,
      floatBytes,
      calibrationImages: files.length,
      floatLayers,
      ...wide,
    });
  }
}

/** Which tensors have 16 bits, and what each would have cost with 8. */
function describe({ tensors, chosen }: Frontier): string {
  const { wide, cycles, agreement, sqnrDb } = chosen;
  const table = new Table({
    head: ['16 bits', '8 bits would make noise at', 'and save, 1000 cycles'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [] },
  });
  const all = tensors.reduce((sum, tensor) => sum + tensor.cycles, 0);
  for (const name of wide) {
    const { noise, cycles: saved } = tensors.find((tensor) => tensor.name === name) as Frontier['tensors'][number];
    table.push([name, noise > 0 ? `${(-10 * Math.log10(noise)).toFixed(1)} dB` : '', (saved / 1000).toFixed(0)]);
  }
  const rows = wide.length > 0 ? `${table.toString()}\n` : '';
  return `${rows}${tensors.length - wide.length} tensors have 8 bits: expected agreement ${percent(agreement)} (${sqnrDb.toFixed(1)} dB), ${((all - cycles) / 1e6).toFixed(2)} of ${(all / 1e6).toFixed(2)} million cycles saved on a Cortex-A76, estimated`;
}
