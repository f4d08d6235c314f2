import { cosineSimilarity, loadModel } from 'mobilenet-v3-wasm';

const PICTURES = ['0196', '0171', '0180', '0210', '0205', '0243', '0258', '0266', '0269', '0605'];
const gallery = document.querySelector('#gallery');
const status = document.querySelector('#status');

const model = await loadModel('/models/mobilenet_v3_small.safetensors', { worker: true });

/** Each picture with its features, which are computed once. */
const pictures = [];
for (const name of PICTURES) {
  const src = `/pictures/validation/${name}/0.jpg`;
  pictures.push({ src, features: await model.embed(src) });
}

function show(chosen) {
  const bySimilarity = pictures
    .map((picture) => ({ ...picture, similarity: cosineSimilarity(chosen.features, picture.features) }))
    .sort((a, b) => b.similarity - a.similarity);
  const figures = bySimilarity.map(({ src, features, similarity }) => {
    const figure = document.createElement('figure');
    const button = document.createElement('button');
    button.setAttribute('aria-pressed', String(src === chosen.src));
    button.append(Object.assign(new Image(), { src, alt: `similarity ${similarity.toFixed(2)}` }));
    button.addEventListener('click', () => show({ src, features }));
    figure.append(button, similarity.toFixed(3));
    return figure;
  });
  gallery.replaceChildren(...figures);
  status.textContent = `${pictures.length} pictures, ${chosen.features.length} features each`;
}
show(pictures[0]);
