import { escaped, page } from '../html.js';
import { NETWORKS } from './networks.js';
import { titleOf } from './order.js';
import { barPlot, linePlot, type Series } from './plots.js';
import { type Cell, Lookup, millis, type PaperResult, type PaperTable } from './result.js';
import { FIGURE_NETWORKS, type GroupName, IDEAS, RESOLUTIONS, ROAD, type Subject, subject, TABLE_3, TABLE_5, WIDTHS } from './subjects.js';
import { paperTables } from './tables.js';

// The same tables as a page, with the plots. It needs no script and no other file.

const textOf = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.published);

function htmlTable({ head, rows }: PaperTable): string {
  const cell = (value: Cell) => `<td${typeof value === 'string' ? '' : ' class="published"'}>${escaped(textOf(value))}</td>`;
  const line = (cells: readonly Cell[]) => `<tr>${cells.map(cell).join('')}</tr>`;
  return `<div class="scroll"><table><tr>${head.map((title) => `<th>${escaped(title)}</th>`).join('')}</tr>${rows.map(line).join('')}</table></div>`;
}

export interface Plot {
  readonly title: string;
  readonly svg: string;
}

/** The plots of Figures 1, 2, 7 and 9 and of Tables 3 and 5, from the same numbers. */
export function paperPlots(result: PaperResult): Plot[] {
  const over = (
    group: 'widths' | 'resolutions',
    subjects: (network: (typeof FIGURE_NETWORKS)[number]) => Subject[],
    at: (one: Subject) => number,
  ): Series[] =>
    FIGURE_NETWORKS.flatMap((network, look) =>
      (['float32', 'int8'] as const).map((precision) => ({
        name: `${NETWORKS[network].title}, ${precision}`,
        points: subjects(network).map((one) => [at(one), new Lookup(result, group).ms({ ...one, precision })] as const),
        look: look as Series['look'],
        dashed: precision === 'int8',
      })),
    );
  const widths = (network: (typeof FIGURE_NETWORKS)[number]) => WIDTHS.map((width) => subject(network, { width }));
  const resolutions = (network: (typeof FIGURE_NETWORKS)[number]) => RESOLUTIONS.map((resolution) => subject(network, { resolution }));
  const pair = (lookup: Lookup, one: Subject) =>
    (['float32', 'int8'] as const).flatMap((precision, look) => {
      const each = { ...one, precision };
      if (!lookup.has(each)) return [];
      return [{ value: lookup.ms(each), text: millis(lookup.ms(each)), look: look as 0 | 1 }];
    });
  const legend = ['float32', 'int8'];
  const bars = (title: string, group: GroupName, networks: readonly (keyof typeof NETWORKS)[]) =>
    barPlot(
      title,
      networks.map((network) => ({ name: NETWORKS[network].title, values: pair(new Lookup(result, group), subject(network)) })),
      legend,
    );
  const megaMadds = (one: Subject) => new Lookup(result, 'widths').get(one).madds / 1e6;
  return [
    {
      title: 'Table 3, ms',
      svg: barPlot(
        'Table 3, ms',
        TABLE_3.map((one) => ({ name: titleOf(one), values: pair(new Lookup(result, 'table3'), one) })),
        ['float32'],
      ),
    },
    { title: 'Table 5: nonlinearities, ms', svg: bars('Table 5', 'table5', TABLE_5) },
    {
      title: 'Figure 7: widths at 224 px',
      svg: linePlot(
        'Widths',
        'width multiplier',
        'ms',
        over('widths', widths, ({ width }) => width),
      ),
    },
    {
      title: 'Figure 7: resolutions at width 1',
      svg: linePlot(
        'Resolutions',
        'pixels a side',
        'ms',
        over('resolutions', resolutions, ({ resolution }) => resolution),
      ),
    },
    {
      title: 'Figures 1 and 2: latency over multiply-adds, by width',
      svg: linePlot('Multiply-adds', 'million MAdds', 'ms', over('widths', widths, megaMadds)),
    },
    { title: 'Figure 9: the road from V2 to V3-Large, ms', svg: bars('Figure 9', 'figure9', ROAD) },
    { title: 'Figure 9: one idea changed, ms', svg: bars('Ideas', 'figure9', ['large', ...IDEAS]) },
    ...trainedPlot(result),
  ];
}

/** Accuracy of the networks that were trained at equal cost. */
function trainedPlot({ ablation }: PaperResult): Plot[] {
  if (!ablation) return [];
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const rows = ablation.rows.map(({ network, float, int8, perTensor }) => ({
    name: NETWORKS[network].title,
    values: [
      { value: float, text: percent(float), look: 0 as const },
      { value: int8, text: percent(int8), look: 1 as const },
      { value: perTensor, text: percent(perTensor), look: 2 as const },
    ],
  }));
  const title = 'Top-1 of networks trained at equal cost';
  return [{ title, svg: barPlot(title, rows, ['float32', 'int8', '8 bits a tensor']) }];
}

const STYLE = `<style>td.published { color: #767676; } svg { display: block; width: 100%; max-width: 32rem; height: auto; margin: 0 0 1.5rem; }
th:first-child, td:first-child { position: sticky; left: 0; background: Canvas; } .scroll { font-size: 13px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1rem; } figure { margin: 0; } figcaption { font-weight: 600; }</style>`;

/** The body of the page: tables with their notes, and the plots. */
export function paperBody(result: PaperResult): string {
  const sections = paperTables(result).map(
    (table) =>
      `<section><h2>${escaped(table.title)}</h2>${htmlTable(table)}<ul>${table.notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul></section>`,
  );
  const plots = paperPlots(result).map(({ title, svg }) => `<figure><figcaption>${escaped(title)}</figcaption>${svg}</figure>`);
  return `${STYLE}<p>${escaped(result.machine)}; ${escaped(result.date)}. What the paper prints is in grey; its latencies are of TFLite on Pixel phones.</p>
<div class="plots">${plots.join('\n')}</div>
${sections.join('\n')}`;
}

export const paperReport = (result: PaperResult): string => page('The MobileNetV3 paper, table by table', paperBody(result));

/** The same as Markdown, for docs/paper.md. */
export function paperMarkdown(result: PaperResult): string {
  return paperTables(result)
    .map(({ title, head, rows, notes }) => {
      const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '/')).join(' | ')} |`;
      const italic = (cell: Cell) => (typeof cell === 'string' ? cell : cell.published && `*${cell.published}*`);
      const align = line(head.map((_, i) => (i === 0 || title.startsWith('What') ? '---' : '---:')));
      return [
        `## ${title}`,
        '',
        line(head),
        align,
        ...rows.map((cells) => line(cells.map(italic))),
        '',
        ...notes.map((note) => `- ${note}`),
      ].join('\n');
    })
    .join('\n\n');
}
