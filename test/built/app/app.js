// A user's page: what each bundler is given, with no configuration.
import { loadModel } from 'mobilenet-v3-wasm';

async function run() {
  const input = { data: Float32Array.from({ length: 64 * 64 * 3 }, (_, i) => Math.sin(i)), shape: [1, 64, 64, 3] };
  const weights = new URL('model.safetensors', document.baseURI);
  const runs = [];
  for (const worker of [false, true]) {
    const model = await loadModel(weights, { worker });
    runs.push({ worker: model.runtimeFeatures.worker, logits: [...(await model.predict(input))] });
    model.dispose();
  }
  return { runs };
}

run().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error.stack ?? error) };
  },
);
