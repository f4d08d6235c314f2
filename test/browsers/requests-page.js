// Runs in a page that may connect to nothing, with the weights in hand: everything that the package does without a source to fetch.
import { cosineSimilarity, evaluate, loadModel, quantize } from 'mobilenet-v3-wasm';
import { loadKernels } from 'mobilenet-v3-wasm/kernels';
import { Examples, trainHead } from 'mobilenet-v3-wasm/transfer';

const violations = [];
addEventListener('securitypolicyviolation', ({ blockedURI, violatedDirective }) => violations.push(`${violatedDirective} ${blockedURI}`));

// WebKit refuses what a worker asks for and tells nobody, so each worker's script begins with ears of its own.
const ears = `for (const name of ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'importScripts']) {
  self[name] = function (what) {
    new BroadcastChannel('workers').postMessage(\`\${name} \${what}\`);
    throw new TypeError('refused');
  };
}\n`;
const { createObjectURL } = URL;
URL.createObjectURL = (blob) => createObjectURL(blob.type === 'text/javascript' ? new Blob([ears, blob], { type: blob.type }) : blob);
new BroadcastChannel('workers').onmessage = ({ data }) => violations.push(`a worker's ${data}`);

async function everything() {
  const text = document.getElementById('weights').textContent;
  const weights = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [80, 60];
  canvas.getContext('2d').fillRect(10, 10, 30, 30);
  const blob = await new Promise((done) => canvas.toBlob(done));
  const features = [];
  for (const options of [{}, { threads: 2 }, { worker: true }, { worker: true, threads: 2 }]) {
    globalThis.doing = JSON.stringify(options);
    const model = await loadModel(weights, options);
    features.push(model.runtimeFeatures);
    const int8 = await quantize(model, [canvas], { rounding: 'nearest' });
    await int8.classify(blob);
    await model.classify(await createImageBitmap(canvas));
    const embedding = await model.embed(canvas);
    cosineSimilarity(embedding, embedding);
    await evaluate(int8, [{ image: canvas, label: 0 }]);
    await model.profile();
    const examples = new Examples();
    for (const label of ['a', 'b']) examples.add(label, embedding);
    trainHead(examples, { epochs: 1 }).classify(embedding);
    await loadModel(int8.save());
    model.dispose();
    int8.dispose();
  }
  globalThis.doing = 'watch';
  const model = await loadModel(new Blob([weights]));
  const [track] = canvas.captureStream(30).getVideoTracks();
  const timer = setInterval(() => canvas.getContext('2d').fillRect(0, 0, 80, Math.random() * 60), 30);
  for await (const { predictions } of model.watch(track)) if (predictions.length > 0) break;
  clearInterval(timer);
  track.stop();
  (await loadKernels()).relu({ data: new Float32Array(1), shape: [1, 1, 1, 1] });
  // What is asked for is refused: the policy is in force, and is heard of.
  globalThis.doing = 'what is forbidden';
  const refused = await loadModel('/forbidden').catch(({ code }) => code);
  await new Promise((done) => setTimeout(done, 300));
  return { features, refused, violations };
}

everything().then(
  (result) => {
    globalThis.result = result;
  },
  (error) => {
    globalThis.result = { error: String(error.stack ?? error), violations };
  },
);
