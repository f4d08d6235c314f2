import { Command } from 'commander';
import { errorOf, measureTable, TABLE_STEPS } from '../evaluation/latency/measure.js';
import { quantiles } from '../evaluation/metrics.js';
import type { Tensor } from '../inputs.js';
import type { Model } from '../model/model.js';
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
import { machineName, millions, milliseconds, percent, say, write, writeJson } from './output.js';
import { withProgress } from './progress.js';
import { textTable } from './table.js';

interface Options extends Common {
  readonly weights?: string;
  readonly precision?: 'float32' | 'int8';
  readonly calibration?: string;
  readonly runs: number;
  readonly json?: string;
  readonly table?: string;
}

export const benchCommand = () =>
  new Command('bench')
    .description('latency of a model on this machine, in all and layer by layer')
    .addOption(weightsOption().makeOptionMandatory(false))
    .addOption(precisionOption())
    .addOption(calibrationOption())
    .option('--runs <n>', 'timed inferences', positiveInteger, 100)
    .option(
      '--table <file>',
      'write the latency of every shape of layer and block on this machine, from which estimate() computes a network',
    )
    .addOption(jsonOption())
    .addOption(threadsOption())
    .addOption(simdOption())
    .addHelpText(
      'after',
      examples(
        ['the median of 100 inferences, and the time of each layer', 'bench --weights model.safetensors'],
        ['every shape of block on this machine, for estimate()', 'bench --table blocks.json'],
        ['the float network behind a quantized file, on all cores', 'bench --weights int8.safetensors --precision float32 --threads auto'],
      ),
    )
    .action(bench);

const WARM_UP = 10;

async function bench(options: Options, command: Command): Promise<void> {
  const { weights, precision, calibration, runs, json, table: tableFile } = options;
  if (tableFile) {
    await writeTable(tableFile, options);
    return;
  }
  if (!weights) command.error('error: --weights FILE is missing; or give --table FILE');
  const model = await loadAs(weights, precision, calibration, options);
  const latencyMs = await withProgress('timing', runs, (step) => time(model, runs, step));
  const layers = await model.profile();
  const table = textTable(['layer', 'kind', 'MAdds', 'ms', 'GMAC/s'], { right: 2, compact: true });
  for (const { name, kind, madds, milliseconds: ms, gmacsPerSecond } of layers) {
    table.push([name, kind, madds ? millions(madds) : '', ms.toFixed(3), madds ? gmacsPerSecond.toFixed(1) : '']);
  }
  say(json, table.toString());
  const { median, p10, p90 } = latencyMs;
  say(
    json,
    `${model.architecture}, ${model.precision}: median ${milliseconds(median)}, p10 ${milliseconds(p10)}, p90 ${milliseconds(p90)} of ${runs} runs`,
  );
  if (json) await writeJson(json, { architecture: model.architecture, precision: model.precision, runs, latencyMs, layers });
}

/** What this process took of the processor: of one thread, its time without what other programs take meanwhile. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** bench --table: NetAdapt's table, and how near its estimates come. */
async function writeTable(file: string, { threads, simd, json }: Options): Promise<void> {
  const table = await withProgress('measuring blocks', TABLE_STEPS, (onProgress) =>
    measureTable(machineName(), { threads, simd, onProgress, ...(threads === 1 ? { clock: processorTime } : {}) }),
  );
  const { heldOut, blocks, layers } = table;
  const shown = textTable(['not in the table', 'width', 'pixels', 'measured, ms', 'estimated, ms', 'error'], { compact: true });
  for (const row of heldOut) {
    const { architecture, width, resolution, measured, estimated } = row;
    shown.push([architecture, width, resolution, measured.toFixed(2), estimated.toFixed(2), percent(errorOf(row))]);
  }
  const near = heldOut.filter((row) => Math.abs(errorOf(row)) <= 0.05).length;
  await write(file, `${JSON.stringify(table)}\n`);
  say(file === '-' ? '-' : json, shown.toString());
  say(file === '-' ? '-' : json, `${blocks.length} blocks, ${layers.length} layers; ${near} of ${heldOut.length} estimates within 5 %`);
  if (json) await writeJson(json, table);
}

async function time(model: Model, runs: number, step: () => void) {
  const side = model.inputSize;
  const input: Tensor = {
    data: Float32Array.from({ length: side * side * 3 }, (_, i) => Math.sin(i * 12.9898)),
    shape: [1, side, side, 3],
  };
  const times: number[] = [];
  for (let run = -WARM_UP; run < runs; run++) {
    const start = performance.now();
    await model.predict(input);
    if (run < 0) continue;
    times.push(performance.now() - start);
    step();
  }
  return quantiles(times);
}
