// Quantizes in a worker while the page goes on; and begins again after it was told to stop.
import { loadModel, quantize } from 'mobilenet-v3-wasm';

const SIDE = 64;
const images = [1, 2, 3].map((seed) => ({
  data: Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => Math.sin((i + 1) * 12.9898 * seed)),
  shape: [1, SIDE, SIDE, 3],
}));

async function everything() {
  const weights = new Uint8Array(await (await fetch('/weights')).arrayBuffer());
  const model = await loadModel(weights, { worker: true });
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const runs = {};
  for (const activations of [16, 8]) {
    const stop = new AbortController();
    const early = [];
    const aborted = await quantize(model, images, {
      activations,
      signal: stop.signal,
      onProgress: (...counts) => {
        early.push(counts);
        if (counts.length === 3) stop.abort();
      },
    }).catch(({ code }) => code);
    const progress = [];
    turns = 0;
    const int8 = await quantize(model, images, { activations, onProgress: (...counts) => progress.push(counts) });
    const own = turns;
    const { precision, runtimeFeatures } = int8;
    runs[activations] = {
      aborted,
      early,
      progress,
      turns: own,
      precision,
      worker: runtimeFeatures.worker,
      logits: [...(await int8.predict(images[0]))],
    };
    int8.dispose();
  }
  clearInterval(timer);
  model.dispose();
  return runs;
}

everything().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error.stack ?? error) };
  },
);
