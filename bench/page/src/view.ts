// What a result looks like: its charts, its notes, its layers.
import { type Bar, barTable } from './bars';
import { byId, make } from './elements';
import { PIXELS } from './paper';
import { int8Ratio, type NetworkName, networkTitle, type Peer, type Profile, type Result, type Row, sameWay, wayName } from './result';

const NETWORKS: readonly NetworkName[] = ['mobilenet_v3_small', 'mobilenet_v3_large'];
/** More than this is told: the device got slower as it got warm. */
const NOTABLE_DRIFT = 0.08;

export const milliseconds = (value: number) => (value < 10 ? value.toFixed(2) : value.toFixed(1));
const percent = (share: number) => `${share > 0 ? '+' : ''}${(100 * share).toFixed(0)} %`;

/** The paper's phones, in grey: what the network took there, in the years of the paper. */
const pixelBars = (network: NetworkName): Bar[] =>
  (['float32', 'int8'] as const).flatMap((precision) =>
    PIXELS[network][precision].map(
      (value, i): Bar => ({ label: `Pixel ${i + 1}, ${precision}, the paper`, value, text: milliseconds(value), look: 'earlier' }),
    ),
  );

function barsOf(network: NetworkName, rows: readonly Row[], earlier?: Result): Bar[] {
  return rows
    .filter((row) => row.network === network)
    .flatMap((row): Bar[] => {
      const own = { label: wayName(row), value: row.median, text: milliseconds(row.median), look: row.precision } as const;
      const before = earlier?.rows.find((other) => sameWay(other, row));
      const bar: Bar = { ...own, spread: [row.p10, row.p90] };
      if (!before) return [bar];
      const change = percent(row.median / before.median - 1);
      return [bar, { label: `earlier (${change} since)`, value: before.median, text: milliseconds(before.median), look: 'earlier' }];
    });
}

export function showRows(rows: readonly Row[], earlier?: Result): void {
  byId('results').hidden = rows.length === 0;
  const charts = NETWORKS.filter((network) => rows.some((row) => row.network === network)).flatMap((network) => [
    make('h3', {}, networkTitle(network)),
    barTable('Median of an inference at 224 x 224; the line spans p10 to p90. Grey: the paper, by TFLite on one core.', 'ms', [
      ...barsOf(network, rows, earlier),
      ...pixelBars(network),
    ]),
  ]);
  byId('charts').replaceChildren(...charts);
  const ratios = NETWORKS.flatMap((network) => {
    const ratio = int8Ratio(rows, network);
    return ratio === undefined ? [] : [`${networkTitle(network)}: int8 is ${ratio.toFixed(2)} times as fast as float32.`];
  });
  byId('summary').textContent = ratios.join(' ');
}

export function showNotes({ drift, hidden, failures, rows, cold = [], sustained = [] }: Result): void {
  const notes = [...failures];
  for (const { network, milliseconds: time } of cold) {
    notes.push(
      `Cold start of ${networkTitle(network)} in int8: ${milliseconds(time)} ms from bytes to logits, with nothing compiled before.`,
    );
  }
  for (const { network, seconds, inferences, ratio } of sustained) {
    const change = `p90 of the last ten seconds is ${ratio.toFixed(2)} times that of the first ten`;
    notes.push(`${networkTitle(network)} in int8, ${seconds.toFixed(0)} s without a pause: ${inferences} inferences; ${change}.`);
  }
  if (drift > NOTABLE_DRIFT)
    notes.push(`The last round was ${percent(drift)} slower than the first: the device gets warm, or something else runs.`);
  if (hidden) notes.push('The page was out of sight for a while; what was measured then is left out.');
  const chosen = [...new Set(rows.filter(({ kernels }) => !kernels).flatMap((row) => row.chosen ?? []))];
  if (chosen.length > 0) notes.push(`int8 was computed in ${chosen.join(' and ')}; each way gives the same bits.`);
  const [first] = rows;
  if (first) {
    const load = Math.min(...rows.map((row) => row.load));
    const memory = Math.max(...rows.map((row) => row.memoryBytes));
    notes.push(
      `From bytes to first logits ${milliseconds(load)} ms at best; at most ${(memory / 2 ** 20).toFixed(1)} MiB of WebAssembly memory.`,
    );
  }
  byId('notes').replaceChildren(...notes.map((note) => make('li', {}, note)));
}

export function showLayers(profiles: readonly Profile[]): void {
  const parts = profiles.map(({ network, precision, layers }) => {
    const kinds = new Map<string, number>();
    for (const { kind, milliseconds: time } of layers) kinds.set(kind, (kinds.get(kind) ?? 0) + time);
    const bar = (label: string, value: number): Bar => ({ label, value, text: value.toFixed(3), look: precision });
    const byKind = [...kinds].sort(([, a], [, b]) => b - a).map(([kind, time]) => bar(kind, time));
    const byLayer = layers.map(({ name, kind, milliseconds: time }) => bar(`${name} (${kind})`, time));
    const summary = make(
      'summary',
      {},
      `${networkTitle(network)}, ${precision}: ${milliseconds(layers.reduce((sum, l) => sum + l.milliseconds, 0))} ms`,
    );
    return make('details', {}, summary, barTable('By kind of layer', 'ms', byKind), barTable('Layer by layer', 'ms', byLayer));
  });
  byId('layers').replaceChildren(
    ...(parts.length > 0
      ? [make('h2', {}, 'Where the time goes'), make('p', { className: 'quiet' }, 'One thread, baseline SIMD.'), ...parts]
      : []),
  );
}

/** This package, LiteRT.js and tfjs on one network. */
export function showPeers(peers: readonly Peer[]): void {
  const charts = NETWORKS.filter((network) => peers.some((peer) => peer.network === network)).flatMap((network) => {
    const bars = peers
      .filter((peer) => peer.network === network)
      .map(({ name, precision, median, p10, p90 }): Bar => {
        const own = name.startsWith('ours');
        return {
          label: own ? name.replace('ours', 'this package') : name,
          value: median,
          text: milliseconds(median),
          look: own ? precision : 'earlier',
          spread: [p10, p90],
        };
      });
    return [make('h3', {}, networkTitle(network)), barTable('One thread each, in turns; their answers were compared first.', 'ms', bars)];
  });
  byId('peers').replaceChildren(...(charts.length > 0 ? [make('h2', {}, 'Beside others'), ...charts] : []));
}
