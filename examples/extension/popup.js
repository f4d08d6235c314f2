// A page of the extension. Its policy forbids blobs, and yet the network runs in a worker: the one file is its own.
import { loadModel } from './mobilenet-v3-wasm.js';

const [file, answer, status] = ['file', 'answer', 'status'].map((id) => document.getElementById(id));
const model = await loadModel('./mobilenet_v3_small.safetensors', { worker: true });
status.textContent = model.runtimeFeatures.worker ? 'The network runs in a worker.' : 'The network runs in this page.';

file.addEventListener('change', async () => {
  const predictions = await model.classify(file.files[0], { topK: 3 });
  const lines = predictions.map(({ label, probability }) => `${label}: ${(probability * 100).toFixed(1)} %`);
  answer.replaceChildren(...lines.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
});
