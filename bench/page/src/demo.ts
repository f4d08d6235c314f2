import { loadModel, type Model, type Prediction } from 'mobilenet-v3-wasm';
import { byId, make, say } from './elements';

const SAMPLES = 6;
const WEIGHTS = /\.(safetensors|tflite|pth|pt)$/i;
/** Frames that the shown rate is an average of. */
const RATE_FRAMES = 20;

let model: Model | undefined;
let own: File | undefined;
let stream: MediaStream | undefined;
/** What is shown, for when another network is chosen. */
let shown: Blob | undefined;
let loading = 0;

const chosen = (name: string) => new FormData(byId<HTMLFormElement>('choice')).get(name) as string;
const messageOf = (error: unknown) => (error as Error).message;

function precisionAllowed(precision: string, allowed: boolean): void {
  const input = document.querySelector<HTMLInputElement>(`input[value="${precision}"]`);
  if (input) input.disabled = !allowed;
}

async function load(): Promise<void> {
  const turn = ++loading;
  const network = chosen('network');
  const precision = chosen('precision');
  const source = network === 'own' && own ? own : new URL(`${network}.int8.safetensors`, document.baseURI);
  byId('model').textContent = 'loading ...';
  const onProgress = (loaded: number, total?: number) => {
    if (turn === loading)
      byId('model').textContent = `loading ${(loaded / 1e6).toFixed(1)}${total ? ` of ${(total / 1e6).toFixed(1)}` : ''} MB ...`;
  };
  try {
    const next = await loadModel(source, { worker: true, threads: 'auto', onProgress, ...(precision === 'float32' ? { precision } : {}) });
    if (turn !== loading) {
      next.dispose();
      return;
    }
    model?.dispose();
    model = next;
    say('message', undefined);
    // Float weights stay float here: the quantize command makes int8 of them, with pictures of their own kind.
    const floatOnly = precision === 'int8' && next.precision === 'float32';
    precisionAllowed('int8', !floatOnly);
    const { threads, simd, worker } = next.runtimeFeatures;
    const where = `${threads} thread${threads > 1 ? 's' : ''}, ${simd} SIMD${worker ? ', off the main thread' : ''}`;
    byId('model').textContent =
      `${next.architecture}, ${next.classes} classes, ${next.precision}: ${where}${floatOnly ? '. The file holds float weights; mobilenet-v3 quantize makes an int8 file of it' : ''}.`;
    if (shown && !stream) await classify(shown);
  } catch (error) {
    if (turn !== loading) return;
    byId('model').textContent = model ? `still ${model.architecture}, ${model.precision}` : 'no network';
    say('message', `The network cannot be loaded: ${messageOf(error)}`);
  }
}

function showAnswers(predictions: readonly Prediction[], milliseconds: number, rate?: number): void {
  byId('answers').replaceChildren(
    ...predictions.map(({ label, probability }) =>
      make(
        'tr',
        {},
        make('th', { scope: 'row' }, label),
        make('td', {}, make('meter', { value: probability, ariaLabel: `Probability of ${label}` })),
        make('td', {}, `${(100 * probability).toFixed(1)} %`),
      ),
    ),
  );
  byId('speed').textContent = rate ? `${rate.toFixed(1)} frames per second` : `${milliseconds.toFixed(1)} ms with decoding`;
}

async function classify(picture: Blob): Promise<void> {
  if (!model) return;
  const start = performance.now();
  try {
    showAnswers(await model.classify(picture), performance.now() - start);
    say('message', undefined);
  } catch (error) {
    say('message', `That picture cannot be read: ${messageOf(error)}`);
  }
}

async function showPicture(picture: Blob): Promise<void> {
  stopCamera();
  const image = byId<HTMLImageElement>('picture');
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(picture);
  image.hidden = false;
  byId('hint').hidden = true;
  shown = picture;
  await classify(picture);
}

async function open(file: File | null | undefined): Promise<void> {
  if (!file) return;
  if (!WEIGHTS.test(file.name)) {
    await showPicture(file);
    return;
  }
  own = file;
  byId('own-choice').hidden = false;
  byId('own-name').textContent = file.name;
  precisionAllowed('int8', true);
  const radio = document.querySelector<HTMLInputElement>('input[value="own"]');
  if (radio) radio.checked = true;
  await load();
}

// --- the camera

function stopCamera(): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  byId('video').hidden = true;
  byId('camera').textContent = 'Start the camera';
}

async function watch(video: HTMLVideoElement, mine: MediaStream): Promise<void> {
  const times: number[] = [];
  while (stream === mine) {
    const current = model;
    if (!current || video.readyState < video.HAVE_CURRENT_DATA) {
      await new Promise(requestAnimationFrame);
      continue;
    }
    const start = performance.now();
    try {
      const predictions = await current.classify(video);
      times.push(performance.now());
      const recent = times.slice(-RATE_FRAMES);
      const rate = (1000 * (recent.length - 1)) / ((recent.at(-1) as number) - (recent[0] as number));
      if (stream === mine) showAnswers(predictions, performance.now() - start, recent.length > 1 ? rate : undefined);
    } catch (error) {
      // A network that was exchanged in mid-flight is no news; the next frame goes to the new one.
      if (current === model) say('message', `A frame could not be classified: ${messageOf(error)}`);
    }
    await new Promise(requestAnimationFrame);
  }
}

async function startCamera(): Promise<void> {
  if (!navigator.mediaDevices) {
    say('message', 'The camera is for pages served by https; pictures work all the same.');
    return;
  }
  try {
    const mine = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    stream = mine;
    const video = byId<HTMLVideoElement>('video');
    video.srcObject = mine;
    await video.play();
    video.hidden = false;
    byId('picture').hidden = true;
    byId('hint').hidden = true;
    byId('camera').textContent = 'Stop the camera';
    say('message', undefined);
    mine.getVideoTracks()[0]?.addEventListener('ended', () => {
      stopCamera();
      say('message', 'The camera was taken away; start it again, or drop a picture.');
    });
    void watch(video, mine);
  } catch (error) {
    stopCamera();
    const refused = (error as DOMException).name === 'NotAllowedError';
    say(
      'message',
      refused
        ? 'The camera was refused. Allow it in the address bar, or drop a picture.'
        : `There is no camera to be had (${messageOf(error)}); drop a picture.`,
    );
  }
}

// --- what the person does

byId('camera').addEventListener('click', () => {
  if (stream) stopCamera();
  else void startCamera();
});
byId('choice').addEventListener('change', ({ target }) => {
  if ((target as HTMLInputElement).name === 'network') precisionAllowed('int8', true);
  void load();
});
byId('file').addEventListener('change', ({ target }) => void open((target as HTMLInputElement).files?.[0]));
const drop = byId('drop');
for (const kind of ['dragenter', 'dragover']) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
}
document.addEventListener('dragleave', () => drop.classList.remove('over'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  void open(event.dataTransfer?.files[0]);
});
document.addEventListener('paste', ({ clipboardData }) => void open(clipboardData?.files[0]));

for (let i = 0; i < SAMPLES; i++) {
  const address = new URL(`sample-${i}.png`, document.baseURI);
  const button = make('button', { type: 'button' }, make('img', { src: address.href, alt: `Sample ${i + 1}`, width: 64, height: 64 }));
  button.addEventListener('click', async () => {
    try {
      await showPicture(await (await fetch(address)).blob());
    } catch (error) {
      say('message', `The sample cannot be fetched: ${messageOf(error)}`);
    }
  });
  byId('samples').append(button);
}

void load();
