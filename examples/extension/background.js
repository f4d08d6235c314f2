// The service worker of the extension: it holds the network, fetches pictures and names them.
import { loadModel } from './mobilenet-v3-wasm.js';

let model;
const loaded = () => {
  model ??= loadModel(chrome.runtime.getURL('mobilenet_v3_small.safetensors'));
  return model;
};

async function name(url) {
  const picture = await (await fetch(url)).blob();
  const [best] = await (await loaded()).classify(picture, { topK: 1 });
  return best;
}

chrome.runtime.onMessage.addListener((url, _sender, answer) => {
  name(url).then(answer, (error) => answer({ error: error.message }));
  return true; // the answer comes later
});
