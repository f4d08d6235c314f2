// A result as something that people share: a picture of fixed size, and a text.
import { PIXELS } from './paper';
import { browserOf, type NetworkName, networkTitle, type Precision, type Result, type Row } from './result';

const WIDTH = 1080;
const MARGIN = 60;
const LINE = 62;
const COLOURS = { back: '#12171d', text: '#e6ebf1', quiet: '#a9b5c3', float32: '#6fa3ea', int8: '#f0a04b', paper: '#6b7a8b' };

const milliseconds = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;

/** The fastest row of each network in each precision. */
function best(rows: readonly Row[]): Row[] {
  const fastest = new Map<string, Row>();
  for (const row of rows) {
    const key = `${row.network} ${row.precision}`;
    const known = fastest.get(key);
    if (!known || row.median < known.median) fastest.set(key, row);
  }
  return [...fastest.values()].sort((a, b) => (a.network === b.network ? 0 : a.network < b.network ? 1 : -1));
}

const how = ({ simd, threads, chosen, precision }: Row) =>
  [
    simd === 'relaxed' ? 'relaxed SIMD' : 'SIMD',
    `${threads} thread${threads > 1 ? 's' : ''}`,
    ...(precision === 'int8' && chosen ? [chosen] : []),
  ].join(', ');

/** What decides speed besides the processor. */
function conditions({ device, cold = [], sustained = [], peers = [], hidden }: Result): string[] {
  const { relaxedSimd, threads, crossOriginIsolated } = device.features;
  const lines = [
    `${device.cores} cores; relaxed SIMD: ${relaxedSimd ? 'yes' : 'no'}; threads: ${threads ? 'yes' : 'no'}; isolated: ${crossOriginIsolated ? 'yes' : 'no'}`,
  ];
  for (const { network, precision, milliseconds: time } of cold) {
    lines.push(`cold start of ${networkTitle(network)}, ${precision}: ${milliseconds(time)} from bytes to logits`);
  }
  for (const { network, precision, seconds, ratio, inferences } of sustained) {
    lines.push(`${seconds.toFixed(0)} s of ${networkTitle(network)}, ${precision}: ${inferences} inferences;`);
    lines.push(`p90 of the last ten seconds was ${ratio.toFixed(2)} times that of the first`);
  }
  for (const { network, name, median } of peers.filter((peer) => !peer.name.startsWith('ours'))) {
    lines.push(`${networkTitle(network)} by ${name}: ${milliseconds(median)} on one thread`);
  }
  if (hidden) lines.push('the page was out of sight for a while');
  return lines;
}

const titleOf = ({ device }: Result) => device.name || 'a device without a name';

export function cardText(result: Result): string {
  const rows = best(result.rows).map(
    (row) =>
      `${networkTitle(row.network)}, ${row.precision}: ${milliseconds(row.median)} (p10 ${milliseconds(row.p10)}, p90 ${milliseconds(row.p90)}; ${how(row)})`,
  );
  return [
    `MobileNetV3 at 224x224 on ${titleOf(result)}, ${browserOf(result.device.userAgent)}, ${result.date.slice(0, 10)}`,
    ...rows,
    ...conditions(result),
    'measured by mobilenet-v3-wasm',
  ].join('\n');
}

interface Line {
  readonly label: string;
  readonly value: number;
  readonly look: Precision | 'paper';
}

function linesOf(rows: readonly Row[], network: NetworkName): Line[] {
  return best(rows)
    .filter((row) => row.network === network)
    .flatMap((row): Line[] => [
      { label: `${row.precision} (${how(row)})`, value: row.median, look: row.precision },
      ...PIXELS[network][row.precision].map(
        (value, i): Line => ({ label: `Pixel ${i + 1}, ${row.precision}, the paper`, value, look: 'paper' }),
      ),
    ]);
}

/** The card, drawn; the caller makes a file of it. */
export function drawCard(result: Result): HTMLCanvasElement {
  const networks = [...new Set(best(result.rows).map(({ network }) => network))];
  const groups = networks.map((network) => ({ network, lines: linesOf(result.rows, network) }));
  const facts = conditions(result);
  const height = MARGIN * 2 + 130 + groups.reduce((sum, { lines }) => sum + LINE * (lines.length + 1.6), 0) + 44 * (facts.length + 1);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [WIDTH, height];
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  const write = (text: string, x: number, y: number, size: number, colour: string, align: CanvasTextAlign = 'left') => {
    Object.assign(context, { font: `${size}px system-ui, sans-serif`, fillStyle: colour, textAlign: align, textBaseline: 'middle' });
    context.fillText(text, x, y, WIDTH - 2 * MARGIN);
  };
  context.fillStyle = COLOURS.back;
  context.fillRect(0, 0, WIDTH, height);
  let y = MARGIN + 20;
  write(titleOf(result), MARGIN, y, 52, COLOURS.text);
  y += 62;
  write(`MobileNetV3 at 224x224 in ${browserOf(result.device.userAgent)}, ${result.date.slice(0, 10)}`, MARGIN, y, 30, COLOURS.quiet);
  y += 48;
  for (const { network, lines } of groups) {
    y += LINE * 0.6;
    write(networkTitle(network), MARGIN, y, 36, COLOURS.text);
    y += LINE;
    const longest = Math.max(...lines.map(({ value }) => value));
    for (const { label, value, look } of lines) {
      context.fillStyle = COLOURS[look];
      context.fillRect(MARGIN, y - 4, Math.max(2, (WIDTH - 2 * MARGIN) * (value / longest)), look === 'paper' ? 10 : 18);
      const colour = look === 'paper' ? COLOURS.quiet : COLOURS.text;
      write(label, MARGIN, y - 20, 25, colour);
      write(milliseconds(value), WIDTH - MARGIN, y - 20, look === 'paper' ? 25 : 30, colour, 'right');
      y += LINE;
    }
  }
  y += 10;
  for (const fact of facts) {
    write(fact, MARGIN, y, 25, COLOURS.quiet);
    y += 44;
  }
  write('mobilenet-v3-wasm', MARGIN, y, 25, COLOURS.quiet);
  return canvas;
}
