// The MobileNetV3 paper's tables and figures, measured in this browser; the command line's `paper` without the accuracies.
import { errorOf } from '../../../src/evaluation/latency/measure';
import { paperPlots } from '../../../src/evaluation/paper/report';
import type { Cell, PaperResult, PaperTable } from '../../../src/evaluation/paper/result';
import { paperTables } from '../../../src/evaluation/paper/tables';
import { byId, download, make, say } from './elements';
import type { FromPaperRunner, ToPaperRunner } from './paper-runner';

let runner: Worker | undefined;
let saved: { readonly name: string; readonly value: unknown } | undefined;

function cellOf(cell: Cell): HTMLElement {
  return typeof cell === 'string' ? make('td', {}, cell) : make('td', { className: 'published' }, cell.published);
}

function tableOf({ title, head, rows, notes }: PaperTable): HTMLElement {
  const table = make(
    'table',
    {},
    make('thead', {}, make('tr', {}, ...head.map((name) => make('th', { scope: 'col' }, name)))),
    make('tbody', {}, ...rows.map((cells) => make('tr', {}, ...cells.map(cellOf)))),
  );
  return make(
    'section',
    {},
    make('h2', {}, title),
    make('div', { className: 'wide' }, table),
    make('ul', {}, ...notes.map((note) => make('li', {}, note))),
  );
}

function plotOf({ title, svg }: { readonly title: string; readonly svg: string }): HTMLElement {
  const figure = make('figure', { innerHTML: svg });
  figure.prepend(make('figcaption', {}, title));
  return figure;
}

function ended(): void {
  runner?.terminate();
  runner = undefined;
  byId('running').hidden = true;
  byId('stop').hidden = true;
  for (const id of ['start', 'blocks']) byId<HTMLButtonElement>(id).disabled = false;
}

function show(name: string, value: unknown, tables: readonly PaperTable[], plots: readonly HTMLElement[]): void {
  saved = { name, value };
  byId('plots').replaceChildren(...plots);
  byId('tables').replaceChildren(...tables.map(tableOf));
  byId('results').hidden = false;
}

function hear(message: FromPaperRunner): void {
  switch (message.kind) {
    case 'progress':
      byId<HTMLProgressElement>('progress').value = message.share;
      byId('status').textContent = `${Math.round(100 * message.share)} % measured; the last was ${message.text}`;
      return;
    case 'failed':
      say('message', message.text);
      ended();
      return;
    case 'paper': {
      const date = new Date().toISOString().slice(0, 10);
      const result: PaperResult = { date, machine: navigator.userAgent, measured: message.measured, accuracies: [] };
      show('mobilenet-v3-paper.json', result, paperTables(result), paperPlots(result).map(plotOf));
      ended();
      return;
    }
    case 'blocks': {
      const { table, heldOut } = message;
      const rows = heldOut.map((row) => [
        `${row.architecture} ${row.width}`,
        String(row.resolution),
        row.measured.toFixed(2),
        row.estimated.toFixed(2),
        `${(100 * errorOf(row)).toFixed(1)} %`,
      ]);
      const head = ['not in the table', 'pixels', 'measured, ms', 'estimated, ms', 'error'];
      const notes = [`${table.blocks.length} blocks, ${table.layers.length} layers. The JSON is what estimate() takes.`];
      show('mobilenet-v3-blocks.json', { ...table, heldOut }, [{ title: 'Estimates from the table of blocks', head, rows, notes }], []);
      ended();
    }
  }
}

function start(kind: ToPaperRunner['kind']): void {
  say('message', undefined);
  byId('running').hidden = false;
  byId('stop').hidden = false;
  byId('status').textContent = 'starting ...';
  byId<HTMLProgressElement>('progress').value = 0;
  for (const id of ['start', 'blocks']) byId<HTMLButtonElement>(id).disabled = true;
  runner = new Worker(new URL('./paper-runner.ts', import.meta.url), { type: 'module' });
  runner.onmessage = ({ data }: MessageEvent<FromPaperRunner>) => hear(data);
  runner.onerror = (event) => {
    say('message', `The worker that measures died${event.message ? ` (${event.message})` : ''}; start again.`);
    ended();
  };
  runner.postMessage({ kind } satisfies ToPaperRunner);
}

byId('start').addEventListener('click', () => start('paper'));
byId('blocks').addEventListener('click', () => start('blocks'));
byId('stop').addEventListener('click', ended);
byId('json').addEventListener('click', () => {
  if (saved) download(saved.name, 'application/json', JSON.stringify(saved.value));
});
