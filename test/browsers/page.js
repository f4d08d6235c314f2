// Runs in the page: everything the test compares with Node, by the package as a user's bundler finds it.
import { detectFeatures, loadModel } from 'mobilenet-v3-wasm';

const bytesOf = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

async function conform() {
  const input = { data: new Float32Array((await bytesOf('/input')).buffer), shape: [1, 64, 64, 3] };
  const logits = {};
  const threadsOf = {};
  for (const precision of ['float32', 'int8']) {
    const weights = await bytesOf(`/${precision}`);
    for (const simd of ['baseline', 'auto']) {
      for (const threads of [1, 2]) {
        const model = await loadModel(weights, { simd, threads });
        const key = `${precision} ${simd} ${threads}`;
        logits[key] = [...(await model.predict(input))];
        threadsOf[key] = model.runtimeFeatures.threads;
        model.dispose();
      }
    }
  }
  const model = await loadModel(await bytesOf('/int8'));
  const picture = await (await fetch('/picture')).blob();
  const bitmap = await createImageBitmap(picture);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const frame = new VideoFrame(bitmap, { timestamp: 0 });
  const offscreen = new OffscreenCanvas(bitmap.width, bitmap.height);
  offscreen.getContext('2d').drawImage(bitmap, 0, 0);
  const sources = {
    blob: picture,
    bitmap,
    canvas,
    offscreen,
    frame,
    pixels: context.getImageData(0, 0, bitmap.width, bitmap.height),
  };
  const pictures = {};
  for (const [name, source] of Object.entries(sources)) pictures[name] = [...(await model.logits(source))];
  const refused = await model.classify(new Blob(['no picture'])).catch(({ code }) => code);
  return { features: detectFeatures(), logits, threadsOf, pictures, refused };
}

conform().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error.stack ?? error) };
  },
);
