import { make } from './elements';
import type { Precision } from './result';

export interface Bar {
  readonly label: string;
  readonly value: number;
  readonly text: string;
  readonly look: Precision | 'earlier';
  /** p10 and p90 */
  readonly spread?: readonly [number, number];
}

const SVG = 'http://www.w3.org/2000/svg';

function shape(name: string, attributes: Record<string, string | number>): SVGElement {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}

/** A table whose middle column is a bar chart: who cannot see the bars reads the numbers. */
export function barTable(caption: string, unit: string, bars: readonly Bar[]): HTMLTableElement {
  const longest = Math.max(...bars.map(({ value, spread }) => Math.max(value, spread?.[1] ?? 0)));
  const percent = (value: number) => `${(100 * value) / longest}%`;
  const rows = bars.map(({ label, value, text, look, spread }) => {
    const svg = shape('svg', { 'aria-hidden': 'true' });
    svg.append(shape('rect', { class: look, width: percent(value), height: '100%', rx: 3 }));
    if (spread) {
      const [low, high] = spread.map(percent) as [string, string];
      svg.append(shape('line', { class: 'spread', x1: low, x2: high, y1: '50%', y2: '50%' }));
    }
    return make(
      'tr',
      {},
      make('th', { scope: 'row', className: 'label' }, label),
      make('td', {}, svg),
      make('td', { className: 'value' }, text),
    );
  });
  const unitHead = make('th', { scope: 'col', className: 'value' }, unit);
  const head = make('tr', {}, make('td', { className: 'label' }), make('td'), unitHead);
  return make('table', { className: 'bars' }, make('caption', { className: 'quiet' }, caption), make('tbody', {}, head, ...rows));
}
