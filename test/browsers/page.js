// Runs in the page: everything the test compares with Node, by the package as a user's bundler finds it.
import { detectFeatures, loadModel } from 'mobilenet-v3-wasm';
import { loadKernels } from 'mobilenet-v3-wasm/kernels';
import { runKernels } from './kernel-cases.ts';

const bytesOf = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());

const ownWorker = new Worker('/own-worker.js', { type: 'module' });

/** Every way to run each network. */
async function networks() {
  const input = { data: new Float32Array((await bytesOf('/input')).buffer), shape: [1, 64, 64, 3] };
  const runs = [];
  for (const file of ['small-float32', 'small-int8', 'large-float32', 'large-int8']) {
    const weights = await bytesOf(`/${file}`);
    for (const simd of ['baseline', 'auto']) {
      for (const threads of [1, 2]) {
        for (const worker of [false, true, ownWorker]) {
          const where = `${file} ${simd} ${threads} ${worker}`;
          globalThis.doing = `load ${where}`;
          const model = await loadModel(weights, { simd, threads, worker });
          globalThis.doing = `predict ${where}`;
          const asked = { threads, worker: worker === ownWorker ? 'own' : worker };
          runs.push({ file, asked, got: model.runtimeFeatures, logits: [...(await model.predict(input))] });
          model.dispose();
        }
      }
    }
  }
  return runs;
}

/** Every way to compute int8, and float32 with it; undefined where this engine lacks one. */
async function ways() {
  const input = { data: new Float32Array((await bytesOf('/input')).buffer), shape: [1, 64, 64, 3] };
  const runs = [];
  for (const file of ['small-float32', 'small-int8', 'large-int8']) {
    const weights = await bytesOf(`/${file}`);
    for (const simd of ['baseline', 'auto']) {
      for (const kernels of ['pairs', 'products', 'planes', 'auto']) {
        globalThis.doing = `${file} ${simd} ${kernels}`;
        const model = await loadModel(weights, { simd, kernels }).catch(({ code }) => {
          if (kernels !== 'planes' || code !== 'ERR_UNSUPPORTED_MODEL') throw new Error(code);
        });
        let logits;
        // Long enough for 'auto' to have thought again.
        for (let i = 0; model && i < (kernels === 'auto' ? 8 : 1); i++) logits = [...(await model.predict(input))];
        runs.push({ file, simd, kernels, got: model?.runtimeFeatures.kernels, logits });
        model?.dispose();
      }
    }
  }
  return runs;
}

/** Every way to hold a picture, here and in a worker. */
async function pictures() {
  globalThis.doing = 'pictures';
  const picture = await (await fetch('/picture')).blob();
  const bitmap = await createImageBitmap(picture);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext('2d');
  context.drawImage(bitmap, 0, 0);
  const offscreen = new OffscreenCanvas(bitmap.width, bitmap.height);
  offscreen.getContext('2d').drawImage(bitmap, 0, 0);
  const image = new Image();
  image.src = '/picture';
  // A policy that lists no images to load leaves this one out.
  const loaded = await image.decode().then(
    () => true,
    () => false,
  );
  const sources = {
    url: '/picture',
    blob: picture,
    bytes: await bytesOf('/picture'),
    bitmap,
    canvas,
    offscreen,
    ...(loaded ? { image } : {}),
    frame: new VideoFrame(canvas, { timestamp: 0 }),
    pixels: context.getImageData(0, 0, bitmap.width, bitmap.height),
  };
  const logits = {};
  const refused = [];
  for (const worker of [false, true]) {
    const model = await loadModel(await bytesOf('/small-int8'), { worker });
    for (const [name, source] of Object.entries(sources))
      logits[`${name}${worker ? ' in a worker' : ''}`] = [...(await model.logits(source))];
    refused.push(await model.classify(new Blob(['no picture'])).catch(({ code }) => code));
    model.dispose();
  }
  return { logits, refused };
}

async function conform() {
  const kernels = {};
  for (const simd of ['baseline', 'auto']) {
    for (const way of ['pairs', 'products', 'auto']) kernels[`${simd} ${way}`] = runKernels(await loadKernels({ simd, kernels: way }));
  }
  return { features: detectFeatures(), kernels, runs: await networks(), ways: await ways(), pictures: await pictures() };
}

conform().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error.stack ?? error) };
  },
);
