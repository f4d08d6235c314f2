// Runs in the page: as many inferences (?what=predict) or camera frames (?what=watch) as ?count= says.
import { loadModel } from 'mobilenet-v3-wasm';

const asked = new URLSearchParams(location.search);
const what = asked.get('what');
const count = Number(asked.get('count'));
/** Behind these, a model has planned, and chosen how to compute. */
const WARM = 20;

/** A camera that has its next frame as soon as it is asked: an hour's frames in minutes. */
async function camera() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [64, 48];
  const context = canvas.getContext('2d');
  const paint = () => context.fillRect(Math.random() * 64, 0, 8, 48);
  paint();
  setInterval(paint, 20);
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = canvas.captureStream(50);
  document.body.append(video);
  await video.play();
  const { port1, port2 } = new MessageChannel();
  let presentedFrames = 0;
  let wanted;
  port1.onmessage = () => wanted(performance.now(), { presentationTime: performance.now(), presentedFrames: ++presentedFrames });
  video.requestVideoFrameCallback = (callback) => {
    wanted = callback;
    port2.postMessage(0);
    return presentedFrames;
  };
  return video;
}

async function* predictions(model) {
  const { inputSize } = model;
  const input = { data: new Float32Array(inputSize ** 2 * 3), shape: [1, inputSize, inputSize, 3] };
  for (;;) yield await model.predict(input);
}

async function use() {
  const weights = new Uint8Array(await (await fetch(`/weights/${what}`)).arrayBuffer());
  const model = await loadModel(weights, { worker: asked.get('worker') === 'true' });
  let done = 0;
  let warmBytes;
  for await (const _ of what === 'watch' ? model.watch(await camera(), { topK: 1 }) : predictions(model)) {
    done++;
    globalThis.doing = done;
    if (done === WARM) warmBytes = model.memory.totalBytes;
    if (done === count) break;
    // The page's own tasks have their turn, as in any page.
    if (done % 50 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  const { totalBytes } = model.memory;
  model.dispose();
  return { warmBytes, totalBytes };
}

use().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error.stack ?? error) };
  },
);
