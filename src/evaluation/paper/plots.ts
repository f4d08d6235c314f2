import { escaped } from '../html.js';

// Plots as SVG text, 360 units wide: read on a phone without zooming. Series differ in marker and dash, not in colour alone.

const WIDTH = 360;
const COLOURS = ['#3b6fb6', '#d9822b', '#5a5a5a'] as const;

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Which network: colour and marker. */
  readonly look: 0 | 1 | 2;
  /** int8 beside float32. */
  readonly dashed?: boolean;
}

/** Round numbers from 0 to at least `most`. */
function ticks(most: number, count = 4): number[] {
  const raw = most / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) as number) * power;
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, i) => i * step);
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

function marker(look: Series['look'], x: number, y: number, filled: boolean): string {
  const paint = `fill="${filled ? COLOURS[look] : 'Canvas'}" stroke="${COLOURS[look]}" stroke-width="1.5"`;
  if (look === 0) return `<circle cx="${x}" cy="${y}" r="4" ${paint}/>`;
  if (look === 1) return `<rect x="${x - 3.5}" y="${y - 3.5}" width="7" height="7" ${paint}/>`;
  return `<path d="M${x} ${y - 5}l4.5 8h-9z" ${paint}/>`;
}

const text = (x: number, y: number, words: string, anchor = 'start') =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;
const svg = (title: string, height: number, body: string) =>
  `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}" font-size="12" fill="currentColor">${body}</svg>`;

/** Lines over a common x axis; y begins at 0. */
export function linePlot(title: string, xLabel: string, yLabel: string, series: readonly Series[]): string {
  const [left, top, plotHeight] = [40, 24, 200];
  const plotWidth = WIDTH - left - 16;
  const xs = series.flatMap(({ points }) => points.map(([x]) => x));
  const yTicks = ticks(Math.max(...series.flatMap(({ points }) => points.map(([, y]) => y))));
  const most = yTicks.at(-1) as number;
  const xTicks = ticks(Math.max(...xs));
  const widest = xTicks.at(-1) as number;
  const px = (x: number) => Number((left + (x / widest) * plotWidth).toFixed(1));
  const py = (y: number) => Number((top + plotHeight - (y / most) * plotHeight).toFixed(1));
  const grid = yTicks.map(
    (y) =>
      `<path d="M${left} ${py(y)}H${WIDTH - 16}" stroke="currentColor" stroke-opacity=".2"/>${text(left - 6, py(y) + 4, short(y), 'end')}`,
  );
  const bottom = top + plotHeight;
  const axis = xTicks.map((x) => text(px(x), bottom + 16, short(x), 'middle'));
  const drawn = series.map(({ points, look, dashed }) => {
    const path = points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${px(x)} ${py(y)}`).join('');
    const line = `<path d="${path}" fill="none" stroke="${COLOURS[look]}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`;
    return line + points.map(([x, y]) => marker(look, px(x), py(y), !dashed)).join('');
  });
  const legend = series.map(({ name, look, dashed }, i) => {
    const [x, y] = [8 + (i % 2) * 176, bottom + 52 + Math.floor(i / 2) * 18];
    const line = `<path d="M${x} ${y}h22" stroke="${COLOURS[look]}" stroke-width="2"${dashed ? ' stroke-dasharray="5 4"' : ''}/>`;
    return line + marker(look, x + 11, y, !dashed) + text(x + 28, y + 4, name);
  });
  const labels = text(4, 12, yLabel) + text(WIDTH - 16, bottom + 34, xLabel, 'end');
  return svg(title, bottom + 58 + Math.ceil(series.length / 2) * 18, [...grid, ...axis, ...drawn, ...legend, labels].join(''));
}

export interface PlotBar {
  readonly name: string;
  readonly values: readonly { readonly value: number; readonly text: string; readonly look: 0 | 1 | 2 }[];
}

/** Bars with their names above them: long names need no room beside. */
export function barPlot(title: string, bars: readonly PlotBar[], legend: readonly string[]): string {
  const most = Math.max(...bars.flatMap(({ values }) => values.map(({ value }) => value)));
  let y = 4;
  const keys = legend.map((name, look) => {
    const x = 4 + look * 120;
    return `<rect x="${x}" y="4" width="12" height="10" fill="${COLOURS[look]}"${look === 1 ? ' fill-opacity=".55"' : ''} stroke="${COLOURS[look]}"/>${text(x + 18, 14, name)}`;
  });
  y += 22;
  const drawn = bars.map(({ name, values }) => {
    let parts = text(0, y + 12, name);
    y += 17;
    for (const { value, text: words, look } of values) {
      const width = Math.max(1, (value / most) * (WIDTH - 70));
      parts += `<rect x="0" y="${y}" width="${width.toFixed(1)}" height="11" fill="${COLOURS[look]}"${look === 1 ? ' fill-opacity=".55"' : ''} stroke="${COLOURS[look]}"/>`;
      parts += text(width + 5, y + 10, words);
      y += 15;
    }
    y += 6;
    return parts;
  });
  return svg(title, y, [...keys, ...drawn].join(''));
}
