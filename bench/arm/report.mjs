// bench/results/arm.json as a plot and as the tables of docs/phones.md.
import { join } from 'node:path';
import { barChart } from '../chart.mjs';
import { markdownTable, writeDocs } from '../docs.mjs';
import { root } from '../prepare.mjs';
import { writeReadme } from '../readme.mjs';

/** The processor of the plot and of the table by layer: the big core of phones of 2018 to 2020. */
const TYPICAL = 'neoverse-n1';

const million = (cycles) => (cycles === undefined ? '' : (cycles / 1e6).toFixed(1));
const contender = ({ engine, precision, kernels, simd }) => [engine, precision, kernels, simd].filter(Boolean).join(', ');

function cyclesTable(rows, processors) {
  const head = ['network', 'million cycles', ...processors.map(({ name }) => name), 'x64, by the model', 'measured', 'cycles a nanosecond'];
  const lines = rows.map((row) => {
    const here = row.x64?.cycles?.native;
    const measured = row.measured ? `${row.measured.median.toFixed(2)} ms` : '';
    const rate = row.measured && here ? (here / row.measured.median / 1e6).toFixed(2) : '';
    const cycles = processors.map(({ model }) => million(row.arm64.cycles[model]));
    return [row.network, contender(row), ...cycles, million(here), measured, rate];
  });
  return markdownTable(head, lines, 1);
}

/** What an engine with all it needs runs, what one without relaxed SIMD runs, and the others. */
const isUsual = ({ engine, precision, kernels, simd }) =>
  engine !== 'ours' ||
  (simd === 'relaxed' && (precision === 'float32' || kernels === 'planes')) ||
  (simd === 'baseline' && (precision === 'float32' || kernels === 'products'));

function phonesTable(rows, processors) {
  const lines = rows
    .filter(isUsual)
    .map((row) => [row.network, contender(row), ...processors.map(({ model }) => million(row.arm64.cycles[model]))]);
  return markdownTable(['network', 'million cycles', ...processors.map(({ name }) => name)], lines, 1);
}

function layersTable(rows) {
  const own = rows.filter(({ arm64 }) => arm64.layers.length > 0);
  const kinds = [...new Set(own.flatMap(({ arm64 }) => arm64.layers.map(({ kind }) => kind)))].sort();
  const lines = own.map((row) => {
    const rates = kinds.map((kind) => {
      const found = row.arm64.layers.find((each) => each.kind === kind);
      return found ? (found.cycles[TYPICAL] / found.madds).toFixed(3) : '';
    });
    return [row.network, contender(row), ...rates];
  });
  return markdownTable(['network', 'cycles a multiply-add', ...kinds], lines, 1);
}

/** @param left rows { name, reason } @returns a line for each reason */
export const leftOut = (left) =>
  [...new Set(left.map(({ reason }) => reason))].map((reason) => {
    const names = left.filter((each) => each.reason === reason).map(({ name }) => name);
    return `${names.join('; ')}: ${reason.replace(/\.$/, '')}.`;
  });

/** @param results what bench/results/arm.json holds */
export async function report({ date, machine, versions, processors, rows, left }) {
  const estimated = rows.filter(({ arm64 }) => arm64?.cycles);
  const typical = processors.find(({ model }) => model === TYPICAL);
  const bars = estimated.map((row) => {
    const value = row.arm64.cycles[TYPICAL] / 1e6;
    return { name: contender(row), group: row.network, value, low: value, high: value, ours: row.engine === 'ours' };
  });
  const axis = 'million cycles an inference, by a model';
  await barChart(
    join(root, 'bench/results/arm.svg'),
    `One image on a ${typical.name}, one thread: a model, no phone (${date})`,
    axis,
    bars,
  );

  const measured = rows.find((row) => row.measured)?.measured;
  const clock = measured
    ? ` Measured ${measured.date} on the same machine.`
    : ' Nothing was measured yet (`npm run bench:arm -- --measure`).';
  const text = `${cyclesTable(estimated, processors)}

${date}, \`npm run bench:arm\`: one image of 224x224 pixels, one thread. arm64 code of Node ${versions.node.arm64}, under qemu ${versions.qemu};
cycles by llvm-mca ${versions.llvm}. **A model, and no phone: nothing here ran on one.** x64: the same for the machine that ran the
command (${machine}, llvm's ${versions.native}, Node ${versions.node.x64 ?? 'none'}).${clock}

${layersTable(estimated)}

The same on a ${typical.name}, by kind of layer; the other processors and every function are in [arm.json](../bench/results/arm.json).
${
  left.length > 0
    ? `\nNot in the tables:\n\n${leftOut(left)
        .map((each) => `- ${each}`)
        .join('\n')}\n`
    : ''
}`;
  writeDocs('phones.md', 'npm run bench:arm', text);
  writeDocs(
    'performance.md',
    'npm run bench:arm',
    `${phonesTable(estimated, processors)}\n\n${date}, \`npm run bench:arm\`: estimated by a model of the processor, not measured on a phone.`,
  );
  writeReadme();
}
