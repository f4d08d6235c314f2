// node bench/kernels-table.mjs: the table of docs/performance.md, from results/kernels.json. npm run bench:kernels runs it last.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { markdownTable, writeDocs } from './docs.mjs';

const RESULTS = new URL('results/kernels.json', import.meta.url);

const sum = (steps, key) => steps.reduce((total, step) => total + step[key], 0);
const share = (steps, peak) => Math.round((100 * sum(steps, 'madds')) / sum(steps, 'ms') / 1e6 / peak);

/** The kind that documents tell apart: pointwise by its channels, depthwise by its window. */
function kindOf({ kind, shape }) {
  if (kind === 'pointwise') {
    const inputs = Number(/^\d+x\d+x(\d+)/.exec(shape)?.[1] ?? 0);
    return inputs >= 64 ? 'pointwise, 64 input channels and more' : 'pointwise, fewer';
  }
  return kind === 'depthwise' ? `depthwise, ${/ (\d+x\d+)\//.exec(shape)?.[1]}` : kind === 'convolution' ? 'stem' : kind;
}

/** @returns kind to its share of the peak in percent, with the least and the greatest of a layer */
export function sharesOf(steps, peak) {
  const groups = new Map();
  for (const step of steps.filter(({ madds }) => madds > 0)) groups.set(kindOf(step), [...(groups.get(kindOf(step)) ?? []), step]);
  return new Map(
    [...groups].map(([kind, own]) => {
      const each = own.map((step) => share([step], peak));
      return [kind, { percent: share(own, peak), least: Math.min(...each), most: Math.max(...each) }];
    }),
  );
}

export function kernelsTable({ date, machine, peak, results }) {
  const shown = results.filter(({ simd }) => simd === 'baseline');
  const shares = shown.map(({ steps, peak: top }) => sharesOf(steps, top));
  const kinds = [...new Set(shares.flatMap((of) => [...of.keys()]))];
  const cell = (found) => (found ? `${found.percent} %${found.least < found.most ? ` (${found.least} to ${found.most})` : ''}` : '');
  const rate = ({ steps }) => (sum(steps, 'madds') / sum(steps, 'ms') / 1e6).toFixed(1);
  const title = ({ checkpoint, precision }) => `${checkpoint.endsWith('small') ? 'Small' : 'Large'}, ${precision}`;
  const table = markdownTable(
    ['share of the peak', ...shown.map(title)],
    [...kinds.map((kind) => [kind, ...shares.map((of) => cell(of.get(kind)))]), ['all, GMAC/s', ...shown.map(rate)]],
  );
  const peaks = `The peak is ${peak.f32_mul_add.toFixed(1)} GMAC/s for float32 and ${peak.i16_dot_add.toFixed(1)} for int8`;
  return `${table}\n\n${peaks}. ${date}, ${machine}, baseline SIMD, one thread; in brackets the least and the greatest of a layer.`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeDocs('performance.md', 'npm run bench:kernels', kernelsTable(JSON.parse(readFileSync(RESULTS, 'utf8'))));
}
