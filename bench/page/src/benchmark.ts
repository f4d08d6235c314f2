import { detectFeatures } from 'mobilenet-v3-wasm';
import { cardText, drawCard } from './card';
import { byId, download, make, say } from './elements';
import { checkResult, fromFragment, type NetworkName, networkTitle, type Result, toCsv, toFragment, wayName } from './result';
import type { FromRunner, ToRunner } from './runner';
import { milliseconds, showLayers, showNotes, showPeers, showRows } from './view';

const KEPT = 'mobilenet-v3-earlier';
const NAME = 'mobilenet-v3-device';
/** How long each network runs without a pause, where that is asked for; ?seconds= shortens it. */
const SUSTAINED_SECONDS = Number(new URLSearchParams(location.search).get('seconds')) || 60;
/** A block of inferences takes less, on any phone. */
const STOP_MILLISECONDS = 15_000;

let result: Result | undefined;
let earlier: Result | undefined;
let runner: Worker | undefined;
let wakeLock: WakeLockSentinel | undefined;

// --- what this browser has

function showFeatures(): void {
  const { simd, relaxedSimd, threads, crossOriginIsolated } = detectFeatures();
  const isolation =
    'no: this page is not cross-origin isolated. Its host is to send "Cross-Origin-Opener-Policy: same-origin" and "Cross-Origin-Embedder-Policy: require-corp".';
  const facts: Record<string, string> = {
    SIMD: simd ? 'yes' : 'no: this browser is older than 2023; nothing here runs without it',
    'Relaxed SIMD': relaxedSimd ? 'yes' : 'no: this browser does not have it; baseline SIMD is measured',
    Threads: threads ? 'yes' : crossOriginIsolated ? 'no: this browser has no shared memory' : isolation,
    Cores: String(navigator.hardwareConcurrency ?? 'not told'),
    Browser: navigator.userAgent,
  };
  byId('features').replaceChildren(...Object.entries(facts).flatMap(([term, text]) => [make('dt', {}, term), make('dd', {}, text)]));
  if (!simd) byId<HTMLButtonElement>('start').disabled = true;
}

// --- what was measured

function show(shown: Result): void {
  result = shown;
  showRows(shown.rows, earlier);
  showNotes(shown);
  showPeers(shown.peers ?? []);
  showLayers(shown.profiles);
}

// --- a run

async function keepAwake(): Promise<void> {
  try {
    wakeLock = await navigator.wakeLock?.request('screen');
  } catch {
    // Saving power, or no such thing here: the page says so if it goes out of sight.
  }
}

function ended(): void {
  byId('running').hidden = true;
  byId('stop').hidden = true;
  byId<HTMLButtonElement>('start').disabled = false;
  runner?.terminate();
  runner = undefined;
  void wakeLock?.release();
  wakeLock = undefined;
}

function hear(message: FromRunner): void {
  switch (message.kind) {
    case 'status':
      byId('status').textContent = `${message.text} ...`;
      byId<HTMLProgressElement>('progress').value = message.done / message.all;
      return;
    case 'checked':
      say('checked', message.text);
      return;
    case 'rows':
      showRows(message.rows, earlier);
      return;
    case 'failed':
      say('message', message.text);
      ended();
      return;
    case 'result':
      show(message.result);
      byId('status').textContent = 'done';
      ended();
      history.replaceState(null, '', location.pathname);
  }
}

function start(): void {
  const form = new FormData(byId<HTMLFormElement>('controls'));
  const networks = form.getAll('network') as NetworkName[];
  if (networks.length === 0) {
    say('message', 'Choose at least one network.');
    return;
  }
  say('message', undefined);
  say('checked', undefined);
  byId('running').hidden = false;
  byId('stop').hidden = false;
  byId<HTMLButtonElement>('start').disabled = true;
  byId('layers').replaceChildren();
  byId('notes').replaceChildren();
  byId('peers').replaceChildren();
  runner = new Worker(new URL('./runner.ts', import.meta.url), { type: 'module' });
  runner.onmessage = ({ data }: MessageEvent<FromRunner>) => hear(data);
  runner.onerror = (event) => {
    say('message', `The worker that measures died${event.message ? ` (${event.message})` : ''}. What it had is kept; start again.`);
    ended();
  };
  tell({
    kind: 'start',
    base: new URL('./', document.baseURI).href,
    networks,
    rounds: Number(form.get('rounds')),
    everyWay: form.has('everyWay'),
    sustain: form.has('sustain') ? SUSTAINED_SECONDS : 0,
    others: form.has('others'),
    name: String(form.get('device') ?? '').trim(),
  });
  void keepAwake();
}

const tell = (message: ToRunner) => runner?.postMessage(message);

document.addEventListener('visibilitychange', () => {
  const visible = document.visibilityState === 'visible';
  tell({ kind: 'visible', visible });
  // A screen lock ends when a page goes out of sight.
  if (visible && runner) void keepAwake();
});

// --- keeping, sharing, comparing

function compareWith(other: Result | undefined): void {
  earlier = other;
  byId('forget').hidden = other === undefined;
  byId('earlier').textContent = other
    ? `Compared with ${new Date(other.date).toLocaleString()}, ${other.device.userAgent}.`
    : "Open a result's JSON file, or a link to a result, and the next run is shown beside it.";
  if (result) show(result);
}

async function copy(text: string, button: string): Promise<void> {
  const element = byId(button);
  const label = element.textContent;
  try {
    await navigator.clipboard.writeText(text);
    element.textContent = 'Copied';
  } catch {
    // Not allowed, or not served by https.
    say('message', `Copying is not allowed here; this is it: ${text}`);
  }
  setTimeout(() => {
    element.textContent = label;
  }, 2000);
}

function asText({ rows, device, date }: Result): string {
  const lines = rows.map(
    (row) =>
      `${networkTitle(row.network)}, ${wayName(row)}: ${milliseconds(row.median)} ms (${milliseconds(row.p10)} to ${milliseconds(row.p90)})`,
  );
  return [`mobilenet-v3-wasm, ${date}`, device.userAgent, ...lines].join('\n');
}

/** By the system's own dialog where it takes files, as a file elsewhere. */
async function shareCard(shown: Result): Promise<void> {
  const blob = await new Promise<Blob | null>((done) => drawCard(shown).toBlob(done, 'image/png'));
  if (!blob) {
    say('message', 'This browser makes no picture of a canvas; copy the text instead.');
    return;
  }
  const file = new File([blob], fileName('png'), { type: 'image/png' });
  const shared = { files: [file], text: cardText(shown) };
  if (navigator.canShare?.(shared) && matchMedia('(pointer: coarse)').matches) {
    await navigator.share(shared).catch(() => undefined); // the person thought again
    return;
  }
  download(file.name, file.type, file);
}

const withResult = (use: (shown: Result) => void) => () => {
  if (result) use(result);
};
const fileName = (end: string) => `mobilenet-v3-benchmark-${(result?.date ?? '').slice(0, 19).replaceAll(':', '-')}.${end}`;

byId('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  start();
});
byId('stop').addEventListener('click', () => {
  byId('status').textContent = 'stopping ...';
  tell({ kind: 'stop' });
  const stopping = runner;
  setTimeout(() => {
    if (runner !== stopping) return;
    say('message', 'The worker that measures does not answer. What it had is kept; start again.');
    ended();
  }, STOP_MILLISECONDS);
});
byId('copy').addEventListener(
  'click',
  withResult((shown) => void copy(asText(shown), 'copy')),
);
byId('link').addEventListener(
  'click',
  withResult(async (shown) => copy(new URL(`#${await toFragment(shown)}`, document.baseURI).href, 'link')),
);
byId('card').addEventListener(
  'click',
  withResult((shown) => void shareCard(shown)),
);
byId('text').addEventListener(
  'click',
  withResult((shown) => void copy(cardText(shown), 'text')),
);
byId('json').addEventListener(
  'click',
  withResult((shown) => download(fileName('json'), 'application/json', JSON.stringify(shown, null, 1))),
);
byId('csv').addEventListener(
  'click',
  withResult((shown) => download(fileName('csv'), 'text/csv', toCsv(shown))),
);
byId('keep').addEventListener(
  'click',
  withResult((shown) => {
    try {
      localStorage.setItem(KEPT, JSON.stringify({ ...shown, profiles: [] }));
    } catch {
      say('message', 'This browser keeps nothing for this page; save the JSON instead.');
    }
    compareWith(shown);
  }),
);
byId('forget').addEventListener('click', () => {
  localStorage.removeItem(KEPT);
  compareWith(undefined);
});
byId<HTMLInputElement>('file').addEventListener('change', async ({ target }) => {
  const file = (target as HTMLInputElement).files?.[0];
  if (!file) return;
  let opened: Result | undefined;
  try {
    opened = checkResult(JSON.parse(await file.text()));
  } catch {
    // Told below.
  }
  say('message', opened ? undefined : `${file.name} is no result of this page; a JSON file that it saved was expected.`);
  if (opened) compareWith(opened);
});

async function openLink(): Promise<void> {
  if (!location.hash.startsWith('#r=')) return;
  const linked = await fromFragment(location.hash);
  if (linked) {
    compareWith(undefined);
    show(linked);
    earlier = linked;
    byId('forget').hidden = false;
    byId('earlier').textContent =
      `Shown is the linked result of ${new Date(linked.date).toLocaleString()}, ${linked.device.userAgent}. Start a run to compare.`;
  } else say('message', 'The link holds no result, or only a part of one.');
}

byId<HTMLInputElement>('device').addEventListener('change', ({ target }) => {
  const name = (target as HTMLInputElement).value.trim();
  if (result) show({ ...result, device: { ...result.device, name } });
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // Storage that is blocked: it is typed again next time.
  }
});

showFeatures();
byId('others').hidden = !import.meta.env.PEERS;
try {
  byId<HTMLInputElement>('device').value = localStorage.getItem(NAME) ?? '';
} catch {
  // As above.
}
try {
  const kept = localStorage.getItem(KEPT);
  if (kept) compareWith(checkResult(JSON.parse(kept)));
} catch {
  // Storage that is blocked, or holds something else.
}
window.addEventListener('hashchange', openLink);
void openLink();
