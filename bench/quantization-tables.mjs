// The tables of docs/quantization.md, from results/quantization.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const PAGE = join(root, 'docs/quantization.md');
const percent = (share, digits) => (share * 100).toFixed(digits);
const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...rows.map(row)].join('\n');
const when = (results) => [...new Set(results.map(({ date, machine }) => `${date}, ${machine}`))].join('; ');

/** Steps down, sets of images across. */
function ladders(results) {
  const rows = results.filter(({ rungs, budgets, network }) => rungs && !budgets && network.includes('TF-Hub'));
  if (rows.length === 0) return undefined;
  const head = ['step', ...rows.flatMap(({ set }) => [`${set} top-1`, 'agreement', 'SQNR'])];
  const body = rows[0].rungs.map(({ scheme, title }) => [
    title,
    ...rows.flatMap(({ rungs }) => {
      const { top1, agreement, logitSqnrDb } = rungs.find((rung) => rung.scheme === scheme);
      const against = scheme === 'float32' ? ['', ''] : [`${percent(agreement, 1)} %`, `${logitSqnrDb.toFixed(1)} dB`];
      return [percent(top1, 2), ...against];
    }),
  ]);
  const images = rows.map(({ set, images }) => `${images} of ${set}`).join(' and ');
  return `${table(head, body)}\n\n${images}, calibrated on ${rows[0].calibration} others. ${when(rows)}.`;
}

function drawn(results) {
  const rows = results.filter(({ rungs, network }) => rungs && !network.includes('TF-Hub'));
  if (rows.length === 0) return undefined;
  const body = rows.flatMap(({ network, images, rungs }) =>
    rungs.map(({ scheme, top1, agreement, logitSqnrDb }, i) => [
      ...(i === 0 ? [network, images] : ['', '']),
      { float32: 'float32', best: '16 bits', eight: '8 bits' }[scheme],
      percent(top1, 2),
      ...(i === 0 ? ['', ''] : [`${percent(agreement, 2)} %`, `${logitSqnrDb.toFixed(1)} dB`]),
    ]),
  );
  const head = ['network', 'pictures', 'activations', 'top-1', 'agreement', 'SQNR'];
  return `${table(head, body)}\n\nCalibrated on ${rows[0].calibration} others. ${when(rows)}.`;
}

function exported(results) {
  const rows = results.filter((result) => result.exports);
  if (rows.length === 0) return undefined;
  const body = rows.flatMap(({ exports }) =>
    exports.map(({ scheme, format, runtime, same, sqnrDb }) => [
      `${scheme === 'best' ? 16 : 8}-bit activations, ${format}`,
      runtime,
      `${percent(same, 2)} %`,
      `${sqnrDb.toFixed(1)} dB`,
    ]),
  );
  const [{ images, set, network }] = rows;
  return `${table(['file', 'runtime', 'same first class', 'SQNR'], body)}\n\n${network}, ${images} images of ${set}, against our own run of the same network. ${when(rows)}.`;
}

function times(results) {
  const row = results.find((result) => result.times);
  if (!row) return undefined;
  const body = row.times.map(({ network, activations, images, seconds }) => [network, `${activations} bits`, images, seconds.toFixed(1)]);
  return `${table(['network', 'activations', 'images', 'seconds'], body)}\n\nOne thread, images decoded on the way. ${when([row])}.`;
}

function budgets(results) {
  const row = results.find((result) => result.budgets);
  if (!row) return undefined;
  const body = Object.entries(row.budgets).map(([budget, { wide, cycles, agreement }]) => {
    const measured = row.rungs.find(({ scheme }) => scheme === budget);
    const against = [`${percent(measured.agreement, 1)} %`, `${measured.logitSqnrDb.toFixed(1)} dB`, percent(measured.top1, 2)];
    return [budget, wide.length, `${((row.all - cycles) / 1e6).toFixed(2)} M`, `${percent(agreement, 1)} %`, ...against];
  });
  const head = ['budget', 'tensors of 16 bits', 'cycles saved', 'agreement expected', 'measured', 'SQNR', 'top-1'];
  return `${table(head, body)}\n\n${row.network}, ${row.images} images of ${row.set}; ${row.tensors.length} tensors, which save ${(row.all / 1e6).toFixed(2)} million cycles of a Cortex-A76 where all have 8 bits, by the model of this page. ${when([row])}.`;
}

/** What has 16 bits where activations have 8, the dearest first. */
function vectors(results) {
  const row = results.find((result) => result.vectors);
  if (!row) return undefined;
  const body = [...row.vectors]
    .sort((a, b) => b.noise - a.noise)
    .map(({ name, noise, cycles }) => [
      name,
      noise > 0 ? `${(-10 * Math.log10(noise)).toFixed(1)} dB` : 'none',
      (cycles / 1000).toFixed(0),
    ]);
  const head = ['16 bits', '8 bits would make noise at', 'and save, 1000 cycles'];
  return `${table(head, body)}\n\n${row.network}, estimated. ${when([row])}.`;
}

/** Each table between the comments that name it. */
export function writeTables(results) {
  let page = readFileSync(PAGE, 'utf8');
  for (const [name, write] of Object.entries({ ladders, drawn, vectors, budgets, times, exported })) {
    const text = write(results);
    const place = new RegExp(`(<!-- ${name} -->)[\\s\\S]*?(<!-- end -->)`);
    if (!place.test(page)) throw new Error(`docs/quantization.md has no place for the table "${name}".`);
    if (text) page = page.replace(place, (_, before, after) => `${before}\n\n${text}\n\n${after}`);
  }
  writeFileSync(PAGE, page);
}
