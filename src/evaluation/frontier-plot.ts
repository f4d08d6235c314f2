import type { Frontier, FrontierPoint } from '../quantization/frontier.js';
import { escaped, percent } from './html.js';

const [WIDTH, HEIGHT] = [640, 300];
const [LEFT, BOTTOM, TOP, RIGHT] = [64, 40, 14, 14];

/** Expected agreement against estimated cycles: a point for each choice of bits, the chosen one filled. */
export function frontierPlot({ points, chosen }: Pick<Frontier, 'points' | 'chosen'>): string {
  const most = Math.max(...points.map(({ cycles }) => cycles), 1);
  const least = Math.min(...points.map(({ agreement }) => agreement));
  // From the next lower whole percent.
  const floor = Math.min(Math.floor(least * 100) / 100, 0.99);
  const x = (cycles: number) => LEFT + ((WIDTH - LEFT - RIGHT) * cycles) / most;
  const y = (agreement: number) => TOP + (HEIGHT - TOP - BOTTOM) * (1 - (agreement - floor) / (1 - floor));
  const at = ({ cycles, agreement }: FrontierPoint) => `${x(cycles).toFixed(1)},${y(agreement).toFixed(1)}`;
  const ticks = [floor, (floor + 1) / 2, 1].map(
    (value) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="var(--line)"/><text x="${LEFT - 6}" y="${y(value) + 4}" text-anchor="end">${percent(value)}</text>`,
  );
  const ends = [0, most].map(
    (value) =>
      `<text x="${x(value)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="${value ? 'end' : 'start'}">${(value / 1e6).toFixed(2)}</text>`,
  );
  const dots = points.map((point) => {
    const [cx, cy] = at(point).split(',');
    const isChosen = point === chosen;
    const last = point.wide.at(-1);
    const what = `${last ? `${escaped(last)} and ${point.wide.length - 1} more` : 'nothing'} in 16 bits: ${percent(point.agreement)}, ${(point.cycles / 1000).toFixed(0)},000 cycles`;
    return `<circle cx="${cx}" cy="${cy}" r="${isChosen ? 6 : 3}" fill="var(${isChosen ? '--int8' : '--float'})"><title>${what}</title></circle>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Expected agreement against estimated cycles" font-size="12" fill="currentColor">
${ticks.join('\n')}
<polyline points="${points.map(at).join(' ')}" fill="none" stroke="var(--float)"/>
${dots.join('\n')}
${ends.join('\n')}
<text x="${(LEFT + WIDTH) / 2}" y="${HEIGHT - 6}" text-anchor="middle">million cycles above those of 8 bits everywhere (Cortex-A76, estimated)</text>
</svg>`;
}
