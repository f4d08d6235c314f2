import { Command } from 'commander';
import { InputError } from '../errors.js';
import { listLabelled, listUnlabelled } from '../evaluation/dataset.js';
import { ladder, type Rung } from '../evaluation/ladder.js';
import { layerErrors } from '../evaluation/layer-error.js';
import { compare as compareModels } from '../evaluation/metrics.js';
import { TABLE_4 } from '../evaluation/paper/published.js';
import { compareReport } from '../evaluation/report.js';
import type { ComparisonResult } from '../evaluation/result.js';
import type { Tensor } from '../inputs.js';
import { sessionOf } from '../model/local-model.js';
import type { Model } from '../model/model.js';
import { quantizeWith } from '../model/quantize.js';
import { floatNetwork } from '../quantization/dequantize.js';
import { cheapest, frontier } from '../quantization/frontier.js';
import { SCHEME_NAMES, SCHEMES } from '../quantization/schemes.js';
import { tensorCosts } from '../quantization/tensor-costs.js';
import { Images } from './images.js';
import { calibrateOn, calibrationFiles, load, quantizeOn } from './models.js';
import { type Common, examples, jsonOption, positiveInteger, seedOption, simdOption, threadsOption } from './options.js';
import { megabytes, percent, say, write, writeJson } from './output.js';
import { withProgress } from './progress.js';
import { SHIPPED, shippedIsHere } from './shipped.js';
import { textTable } from './table.js';

interface Options extends Common {
  readonly weights?: string[];
  readonly images?: string;
  readonly calibration?: string;
  readonly limit?: number;
  readonly seed?: number;
  readonly unlabelled?: true;
  readonly ladder?: true;
  readonly paper?: true;
  readonly json?: string;
  readonly html?: string;
}

const CALIBRATION_IMAGES = 100;
/** Of the ladder's last rung. */
const LADDER_BUDGET = 0.97;
/** Images that the error of each layer is measured on. */
const LAYER_ERROR_IMAGES = 16;

export const compareCommand = () =>
  new Command('compare')
    .description('float32 against int8 on labelled images: accuracy, agreement, speed, size. Without options, on what the repository ships')
    .option('-w, --weights <file...>', 'one weights file or several: safetensors or .tflite')
    .option('-i, --images <dir>', 'DIR/<class>/<image>; <class> is a label, a synset id or an index')
    .option(
      '-c, --calibration <dir|n>',
      `unlabelled images to calibrate int8 on, or how many of --images to use (without it ${CALIBRATION_IMAGES})`,
    )
    .option('-n, --limit <n>', 'images at most, class by class in turn', positiveInteger)
    .addOption(seedOption())
    .option('--unlabelled', 'images without labels, as those of a network without a classifier: agreement and cosine similarity alone')
    .option('--ladder', 'ways of quantizing one below the other, from one scale a tensor to what this package does')
    .option('--paper', "our rows beside the MobileNetV3 paper's Table 4")
    .addOption(threadsOption())
    .addOption(simdOption())
    .addOption(jsonOption('the comparison'))
    .option('--html <file>', 'write a page with the table, plots, and the images on which the two differ')
    .addHelpText(
      'after',
      examples(
        ['what the repository ships', 'compare'],
        [
          'your network on your pictures, with a page of results',
          'compare --weights model.safetensors --images validation/ --calibration images/ --html compare.html',
        ],
      ),
    )
    .action(compare);

async function compare(options: Options): Promise<void> {
  const { weights, images, calibration } = resolve(options);
  if (options.ladder) {
    await climb(weights, images, calibration, options);
    return;
  }
  const results: ComparisonResult[] = [];
  for (const file of weights) results.push(await compareOne(file, images, calibration, options));
  say(options.json, render(results));
  if (options.paper) say(options.json, renderPaper(results));
  if (options.json) await writeJson(options.json, results.length === 1 ? contract(results[0] as ComparisonResult) : results.map(contract));
  if (options.html) await write(options.html, await compareReport(results));
}

function resolve({ weights, images, calibration }: Options): { weights: string[]; images: string; calibration: string | undefined } {
  if (weights && images) return { weights, images, calibration };
  if (!shippedIsHere()) {
    throw new InputError('nothing to compare; give --weights FILE and --images DIR, a folder of labelled images, DIR/<class>/<image>.jpg.');
  }
  // Pictures of the repository's own classes suit its own checkpoints alone.
  if (weights) throw new InputError('--weights needs --images DIR, a folder of images labelled with the classes of that network.');
  return { weights: SHIPPED.weights, images: images ?? SHIPPED.images, calibration: calibration ?? SHIPPED.calibration };
}

async function compareOne(
  weights: string,
  directory: string,
  calibration: string | undefined,
  options: Options,
): Promise<ComparisonResult> {
  const float = await load(weights, 'float32', options);
  const { limit, unlabelled = float.classes === 0 } = options;
  const files = await (unlabelled ? listUnlabelled(directory, limit) : listLabelled(directory, float, limit));
  const { calibrating, ofTested } = await calibrationOf(directory, calibration, options.seed);
  const int8 = await quantizeOn(float, calibrating);
  const images = new Images(float);
  const comparison = await withProgress(`comparing ${float.architecture}`, files.length, (onProgress) =>
    compareModels(float, int8, images.labelled(files), { onProgress }),
  );
  if (comparison.images === 0) throw new InputError(`none of the ${files.length} images of ${directory} could be decoded.`);
  const probes: Tensor[] = [];
  if (options.html) {
    const spread = files.filter((_, i) => i % Math.ceil(files.length / LAYER_ERROR_IMAGES) === 0);
    for await (const { image } of new Images(float).labelled(spread)) probes.push(image);
  }
  const result: ComparisonResult = {
    weights,
    summary: float.summary,
    labels: float.labels,
    calibrationImages: calibrating.length,
    calibratedOnTested: ofTested,
    skipped: images.skipped,
    comparison,
    sizes: [sizeOf(float), sizeOf(int8)],
    layerErrors: await layerErrors(float, int8, probes),
  };
  float.dispose();
  int8.dispose();
  return result;
}

/** A folder's images, or as many as were asked for of those that are tested. */
async function calibrationOf(tested: string, calibration: string | undefined, seed: number | undefined) {
  const count = calibration === undefined ? CALIBRATION_IMAGES : /^\d+$/.test(calibration) ? positiveInteger(calibration) : undefined;
  const directory = count === undefined ? (calibration as string) : tested;
  const calibrating = await calibrationFiles(directory, count ?? CALIBRATION_IMAGES, seed);
  return { calibrating, ofTested: count !== undefined };
}

/** compare --ladder */
async function climb(weights: readonly string[], directory: string, calibration: string | undefined, options: Options): Promise<void> {
  const results: { model: string; images: number; rungs: Rung[] }[] = [];
  const table = textTable(['network', 'quantization', 'top-1', 'agreement', 'logit SQNR'], { right: 2 });
  for (const file of weights) {
    const float = await load(file, 'float32', options);
    const { calibrating } = await calibrationOf(directory, calibration, options.seed);
    const seen = await calibrateOn(float, calibrating, true);
    const candidates = new Map<string, Model>();
    for (const name of SCHEME_NAMES) candidates.set(name, await quantizeWith(float, seen, SCHEMES[name]));
    const { wide } = cheapest(frontier(await tensorCosts(floatNetwork(sessionOf(float).network), seen, SCHEMES.eight)), LADDER_BUDGET);
    candidates.set(
      `+ 16 bits in ${wide.length} tensors, for a budget of ${LADDER_BUDGET * 100} %`,
      await quantizeWith(float, seen, { ...SCHEMES.eight, wide: new Set(wide) }),
    );
    const files = await listLabelled(directory, float, options.limit);
    const images = new Images(float);
    const rungs = await withProgress(`climbing with ${float.architecture}`, files.length, (step) =>
      ladder(float, candidates, images.labelled(files), step),
    );
    results.push({ model: float.architecture, images: files.length - images.skipped.length, rungs });
    rungs.forEach(({ title, top1, agreement, logitSqnrDb }, i) => {
      const compared = i === 0 ? ['', ''] : [percent(agreement), `${logitSqnrDb.toFixed(1)} dB`];
      table.push([i === 0 ? float.architecture : '', title, percent(top1), ...compared]);
    });
    for (const model of [float, ...candidates.values()]) model.dispose();
  }
  say(options.json, table.toString());
  if (options.json) await writeJson(options.json, results.length === 1 ? results[0] : results);
}

/** compare --paper */
function renderPaper(results: readonly ComparisonResult[]): string {
  const table = textTable(['top-1', 'float32', 'int8', 'change', "paper's float", "paper's int8", 'change']);
  for (const { summary, comparison } of results) {
    const [float, int8] = [comparison.reference.top1 * 100, comparison.candidate.top1 * 100];
    const published = TABLE_4[summary.architecture];
    const change = (a: number, b: number) => (b - a).toFixed(2);
    const theirs = published
      ? [published.float.toFixed(1), published.int8.toFixed(1), change(published.float, published.int8)]
      : ['', '', ''];
    table.push([`${summary.architecture} ${summary.width}`, float.toFixed(2), int8.toFixed(2), change(float, int8), ...theirs]);
  }
  return `${table.toString()}\nThe paper's rows are of ImageNet's whole validation set, quantized while training; ours of the images given, quantized after it.`;
}

const sizeOf = (model: Model) => ({ modelBytes: model.save().byteLength, arenaBytes: model.memory.arenaBytes });

/** The JSON that DESIGN.md fixes, and what was left out. */
function contract({ summary, comparison, calibrationImages, sizes, skipped }: ComparisonResult) {
  const { architecture, width, resolution, parameters, madds } = summary;
  const { images, reference, candidate, agreement, cosine, probabilities, logitSqnrDb, speedup } = comparison;
  const rows = [reference, candidate].map(({ top1, top5, latencyMs }, i) => ({
    precision: i === 0 ? 'float32' : 'int8',
    top1,
    top5,
    latencyMs,
    ...sizes[i as 0 | 1],
  }));
  return {
    model: { architecture, width, resolution, parameters, madds },
    images,
    calibrationImages,
    rows,
    agreement,
    cosine,
    probabilities,
    logitSqnrDb,
    speedup,
    skipped,
  };
}

function render(results: readonly ComparisonResult[]): string {
  const table = textTable(
    [
      'network',
      'precision',
      'top-1',
      'top-5',
      'latency, ms (p10 to p90)',
      'file',
      'activations',
      'agreement',
      'cosine (least)',
      'SQNR',
      'speed',
    ],
    { right: 2 },
  );
  for (const { summary, comparison, sizes } of results) {
    const { reference, candidate, agreement, cosine, logitSqnrDb, speedup } = comparison;
    const compared = [percent(agreement), `${cosine.mean.toFixed(5)} (${cosine.least.toFixed(5)})`, `${logitSqnrDb.toFixed(1)} dB`];
    [reference, candidate].forEach(({ top1, top5, latencyMs: { median, p10, p90 } }, i) => {
      const { modelBytes, arenaBytes } = sizes[i as 0 | 1];
      table.push([
        i === 0 ? `${summary.architecture} ${summary.width} ${summary.resolution}` : '',
        i === 0 ? 'float32' : 'int8',
        percent(top1),
        percent(top5),
        `${median.toFixed(2)} (${p10.toFixed(2)} to ${p90.toFixed(2)})`,
        megabytes(modelBytes),
        megabytes(arenaBytes),
        ...(i === 0 ? ['', '', '', '1.00x'] : [...compared, `${speedup.toFixed(2)}x`]),
      ]);
    });
  }
  const notes = results.map(({ summary, comparison, calibrationImages, calibratedOnTested, skipped }) => {
    const from = calibratedOnTested ? ' of the same folder, without their labels' : '';
    const left = skipped.length > 0 ? `; ${skipped.length} could not be decoded and were skipped` : '';
    const { probabilities: p } = comparison;
    const alike = p ? `; probabilities have a cosine of ${p.mean.toFixed(5)} (${p.least.toFixed(5)})` : '';
    return `${summary.architecture}: ${comparison.images} images, int8 calibrated on ${calibrationImages}${from}${alike}${left}`;
  });
  return [table.toString(), 'Cosine and SQNR are of the logits, or of the features where there is no classifier.', ...notes].join('\n');
}
