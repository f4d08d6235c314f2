import { readFile } from 'node:fs/promises';
import { bars, escaped, megabytes, page, percent } from './html.js';
import type { Disagreement } from './metrics.js';
import type { ComparisonResult } from './result.js';

// compare --html: one page that needs nothing else, no script and no other file.

/** Pictures shown at most; each is embedded. */
const PICTURES = 60;
const PICTURE_SIDE = 128;

function table({ comparison, sizes }: ComparisonResult): string {
  const { reference, candidate } = comparison;
  const rows = [reference, candidate].map(({ top1, top5, latencyMs: { median, p10, p90 } }, i) => {
    const { modelBytes, arenaBytes } = sizes[i as 0 | 1];
    const cells = [
      i === 0 ? 'float32' : 'int8',
      percent(top1),
      percent(top5),
      `${median.toFixed(2)} (${p10.toFixed(2)} to ${p90.toFixed(2)})`,
      megabytes(modelBytes),
      megabytes(arenaBytes),
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const head = ['', 'top-1', 'top-5', 'latency, ms (p10 to p90)', 'file', 'activations'];
  return `<div class="scroll"><table><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr>${rows.join('')}</table></div>`;
}

async function picture({ sample, reference, candidate }: Disagreement, labels: readonly string[]): Promise<string> {
  const { default: sharp } = await import('sharp');
  const file = await readFile(sample.name as string);
  const jpeg = await sharp(file).rotate().resize(PICTURE_SIDE, PICTURE_SIDE, { fit: 'cover' }).jpeg({ quality: 80 }).toBuffer();
  const answer = (index: number) => {
    const label = escaped(labels[index] as string);
    return `<dd${index === sample.label ? ' class="right"' : ''}>${label}</dd>`;
  };
  const truth = sample.label === undefined ? '' : escaped(labels[sample.label] as string);
  return `<li><img alt="${truth}" src="data:image/jpeg;base64,${jpeg.toString('base64')}">
<dl>${truth && `<dt>is</dt><dd>${truth}</dd>`}<dt>float32</dt>${answer(reference)}<dt>int8</dt>${answer(candidate)}</dl></li>`;
}

async function section(result: ComparisonResult): Promise<string> {
  const { summary, comparison, calibrationImages, labels, layerErrors, skipped } = result;
  const { reference, candidate, agreement, cosine, logitSqnrDb, speedup, images, disagreements } = comparison;
  const classifies = summary.classes > 0;
  const pair = (value: (row: typeof reference) => number, text: (value: number) => string) =>
    bars(
      [reference, candidate].map((row, i) => ({
        name: i === 0 ? 'float32' : 'int8',
        value: value(row),
        text: text(value(row)),
        int8: i === 1,
      })),
    );
  const pictures: string[] = [];
  for (const disagreement of disagreements.slice(0, PICTURES)) pictures.push(await picture(disagreement, labels));
  const more = disagreements.length > PICTURES ? ` (the first ${PICTURES} of ${disagreements.length})` : '';
  const where = `<h3>Where they differ${more}</h3>${pictures.length > 0 ? `<ul class="pictures">${pictures.join('\n')}</ul>` : '<p>Nowhere.</p>'}`;
  const notes = skipped.length > 0 ? `<p>${skipped.length} files could not be decoded: ${escaped(skipped.join(', '))}</p>` : '';
  return `<section><h2>${escaped(summary.architecture)}, width ${summary.width}, ${summary.resolution} px</h2>
<p>${images} images, int8 calibrated on ${calibrationImages}. ${classifies ? `Same top-1 on ${percent(agreement)}; logits` : 'Features'} of a cosine similarity of ${cosine.mean.toFixed(5)} in the mean and ${cosine.least.toFixed(5)} at least; SQNR ${logitSqnrDb.toFixed(1)} dB; int8 runs at ${speedup.toFixed(2)} times float32's speed.</p>
${table(result)}
${Number.isNaN(reference.top1) ? '' : `<h3>Top-1</h3>${pair((row) => row.top1, percent)}`}
<h3>Latency, median</h3>${pair(
    (row) => row.latencyMs.median,
    (value) => `${value.toFixed(2)} ms`,
  )}
<h3>Error by layer</h3><p>Signal over noise of int8 against float32, up to and with each layer, in dB: longer is better.</p>
${bars(
  layerErrors.map(({ name, sqnrDb }) => ({ name, value: sqnrDb, text: sqnrDb.toFixed(1), int8: true })),
  'layers',
)}
${classifies ? where : ''}${notes}</section>`;
}

/** The page, as HTML. Pictures are read from the samples' names, which are paths. */
export async function compareReport(results: readonly ComparisonResult[]): Promise<string> {
  const sections: string[] = [];
  for (const result of results) sections.push(await section(result));
  return page('float32 against int8', sections.join('\n'));
}
