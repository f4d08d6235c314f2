import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { ARCHITECTURES, type ArchitectureName } from '../architecture/tables.js';
import { InputError } from '../errors.js';
import { listLabelled } from '../evaluation/dataset.js';
import { compare as compareModels } from '../evaluation/metrics.js';
import { measureGroup } from '../evaluation/paper/measure.js';
import { NETWORKS, type NetworkKey } from '../evaluation/paper/networks.js';
import { paperMarkdown, paperReport } from '../evaluation/paper/report.js';
import type { Ablation, Accuracy, Cell, PaperResult, PaperTable } from '../evaluation/paper/result.js';
import { GROUP_NAMES, GROUPS } from '../evaluation/paper/subjects.js';
import { paperTables } from '../evaluation/paper/tables.js';
import { Images } from './images.js';
import { calibrationFiles, load, quantizeOn } from './models.js';
import { type Common, examples, jsonOption, positiveInteger, simdOption, threadsOption } from './options.js';
import { machineName, say, write, writeJson } from './output.js';
import { withProgress } from './progress.js';
import { SHIPPED, shippedAblation, shippedIsHere } from './shipped.js';
import { mayDraw, textTable } from './table.js';

interface Options extends Common {
  readonly weights?: string[];
  readonly images?: string;
  readonly calibration?: string;
  readonly limit?: number;
  readonly rounds: number;
  readonly from?: string;
  readonly json?: string;
  readonly html?: string;
  readonly markdown?: string;
}

const ROUNDS = 5;
const CALIBRATION_IMAGES = 100;

export const paperCommand = () =>
  new Command('paper')
    .description("the MobileNetV3 paper's tables and figures, ours beside the paper's: parameters, multiply-adds, latency, accuracy")
    .option('-w, --weights <file...>', 'checkpoints whose accuracy is measured; without it those that the repository ships')
    .option('-i, --images <dir>', 'labelled images for --weights: DIR/<class>/<image>')
    .option('-c, --calibration <dir>', 'unlabelled images that int8 is calibrated on')
    .option('-n, --limit <n>', 'labelled images at most', positiveInteger)
    .option('--rounds <n>', 'turns that networks take while they are timed', positiveInteger, ROUNDS)
    .addOption(threadsOption())
    .addOption(simdOption())
    .option('--from <file>', 'measure nothing, and show a result that --json wrote')
    .addOption(jsonOption('what was measured'))
    .option('--html <file>', 'write a page with the tables and the plots')
    .option('--markdown <file>', 'write the tables as Markdown')
    .addHelpText(
      'after',
      examples(['measure, and keep the result', 'paper --json paper.json --html paper.html'], ['show it again', 'paper --from paper.json']),
    )
    .action(paper);

async function paper(options: Options): Promise<void> {
  const result = options.from ? await readResult(options.from) : await measure(options);
  for (const table of paperTables(result)) say(options.json, render(table));
  if (options.json) await writeJson(options.json, result);
  if (options.html) await write(options.html, paperReport(result));
  if (options.markdown) await write(options.markdown, `${paperMarkdown(result)}\n`);
}

async function readResult(file: string): Promise<PaperResult> {
  let result: Partial<PaperResult> | undefined;
  try {
    result = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new InputError(`${file} cannot be read as JSON: ${(cause as Error).message}.`, { cause });
  }
  if (!Array.isArray(result?.measured) || !Array.isArray(result.accuracies))
    throw new InputError(`${file} is no result of this command; expected a file that --json wrote.`);
  return result as PaperResult;
}

async function measure(options: Options): Promise<PaperResult> {
  const { threads, simd, rounds } = options;
  const accuracies = await accuraciesOf(options);
  // Each subject is opened, and then takes its turns.
  const measured = await withProgress('measuring', Object.values(GROUPS).flat().length, async (onProgress) => {
    const results = [];
    for (const group of GROUP_NAMES) results.push(...(await measureGroup(group, { threads, simd, rounds, onProgress })));
    return results;
  });
  const ablation = (await shippedAblation()) as Ablation | undefined;
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${machineName()}, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
    measured,
    accuracies,
    ...(ablation ? { ablation } : {}),
  };
}

/** The paper's network of an architecture's name. */
const keyOf = (architecture: string): NetworkKey | undefined => {
  const table = ARCHITECTURES[architecture as ArchitectureName];
  return (Object.keys(NETWORKS) as NetworkKey[]).find((key) => NETWORKS[key].table === table);
};

async function accuraciesOf(options: Options): Promise<Accuracy[]> {
  const { weights, images } = options;
  if (Boolean(weights) !== Boolean(images))
    throw new InputError('--weights and --images go together: images labelled with the classes of those networks.');
  if (!weights && !shippedIsHere()) return [];
  const results: Accuracy[] = [];
  for (const file of weights ?? SHIPPED.weights) {
    const float = await load(file, 'float32', options);
    const network = keyOf(float.architecture);
    if (!network) throw new InputError(`${file} is a ${float.architecture}, which the paper does not compare.`);
    const directory = images ?? SHIPPED.images;
    const calibration = options.calibration ?? (images ? directory : SHIPPED.calibration);
    const int8 = await quantizeOn(float, await calibrationFiles(calibration, CALIBRATION_IMAGES));
    const files = await listLabelled(directory, float, options.limit);
    const {
      reference,
      candidate,
      agreement,
      images: seen,
    } = await withProgress(`accuracy of ${float.architecture}`, files.length, (onProgress) =>
      compareModels(float, int8, new Images(float).labelled(files), { onProgress }),
    );
    results.push({ network, width: float.summary.width, images: seen, float: reference.top1, int8: candidate.top1, agreement });
    float.dispose();
    int8.dispose();
  }
  return results;
}

const GREY = '\u001b[90m';
const PLAIN = '\u001b[39m';

function render({ title, head, rows, notes }: PaperTable): string {
  const words = title.startsWith('What');
  const table = textTable(head, words ? { right: head.length, widths: [42, 60, 18] } : { compact: true });
  const inGrey = (cell: Cell): string => {
    if (typeof cell === 'string') return cell;
    return mayDraw() && cell.published ? `${GREY}${cell.published}${PLAIN}` : cell.published;
  };
  for (const cells of rows) table.push(cells.map(inGrey));
  return [`\n${title}`, table.toString(), ...notes].join('\n');
}
