// Runs in the page: watch() on a canvas' stream, as a track and in a video element, here and in a worker.
import { loadModel } from 'mobilenet-v3-wasm';

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A camera: a canvas that changes at each frame, and is one colour. */
function camera() {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [96, 64];
  const context = canvas.getContext('2d');
  let number = 0;
  const paint = () => {
    context.fillStyle = number++ % 2 ? '#d02020' : '#d02120';
    context.fillRect(0, 0, 96, 64);
  };
  paint();
  const timer = setInterval(paint, 20);
  const stream = canvas.captureStream(50);
  const [track] = stream.getVideoTracks();
  return {
    track,
    stream,
    frames: () => number,
    stop: () => {
      clearInterval(timer);
      track.stop();
    },
  };
}

async function videoOf(stream) {
  const video = document.createElement('video');
  video.muted = true;
  video.srcObject = stream;
  document.body.append(video);
  await video.play();
  return video;
}

async function take(watching, count, busy = 0) {
  const seen = [];
  for await (const { predictions, timestamp, skipped } of watching) {
    seen.push({ index: predictions[0].index, predictions: predictions.length, timestamp, skipped });
    if (seen.length === count) break;
    if (busy) await pause(busy);
  }
  return seen;
}

async function watchAll() {
  const weights = new Uint8Array(await (await fetch('/weights')).arrayBuffer());
  const runs = {};
  for (const worker of [false, true]) {
    const model = await loadModel(weights, { worker });
    const name = (what) => `${what}${worker ? ', in a worker' : ''}`;
    for (const what of ['track', 'video', 'video without requestVideoFrameCallback']) {
      globalThis.doing = name(what);
      const source = camera();
      const video = what === 'track' ? source.track : await videoOf(source.stream);
      // An old Firefox: the method is not there.
      const { requestVideoFrameCallback } = HTMLVideoElement.prototype;
      if (what.endsWith('Callback')) delete HTMLVideoElement.prototype.requestVideoFrameCallback;
      const quick = await take(model.watch(video, { topK: 2 }), 5);
      const slow = await take(model.watch(video, { topK: 2 }), 4, 300);
      if (requestVideoFrameCallback) HTMLVideoElement.prototype.requestVideoFrameCallback = requestVideoFrameCallback;
      const abort = new AbortController();
      setTimeout(() => abort.abort(), 200);
      const aborted = await take(model.watch(video, { signal: abort.signal }), Number.POSITIVE_INFINITY).catch(({ code }) => code);
      const live = source.track.readyState;
      source.stop();
      runs[name(what)] = { quick, slow, aborted, live };
    }
    globalThis.doing = name('the end');
    const film = document.createElement('video');
    film.muted = true;
    film.src = '/film';
    document.body.append(film);
    const failed = await take(model.watch(film), 1).catch(({ code }) => code);
    const odd = await take(model.watch(document.createElement('canvas')), 1).catch(({ code }) => code);
    const dead = camera();
    dead.stop();
    const ended = await take(model.watch(dead.track), 1).catch(({ code }) => code);
    runs[name('the end')] = { failed, odd, ended };
    model.dispose();
  }
  return runs;
}

watchAll().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error.stack ?? error) };
  },
);
