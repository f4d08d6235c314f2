import { loadModel } from '/mobilenet-v3-wasm.js';

const [bar, pause, pictures, status] = ['bar', 'pause', 'pictures', 'status'].map((id) => document.getElementById(id));

let longest = 0;
let last = performance.now();
requestAnimationFrame(function move(now) {
  if (now - last > longest) longest = now - last;
  last = now;
  pause.value = Math.round(longest);
  bar.style.translate = `${(0.5 + Math.sin(now / 500) / 2) * (bar.parentElement.clientWidth - bar.clientWidth)}px`;
  requestAnimationFrame(move);
});

const worker = new Worker('./worker.js', { type: 'module' });
const model = await loadModel('/models/mobilenet_v3_large.safetensors', { worker });

for (let i = 0; i < 100; i++) {
  const image = Object.assign(new Image(), { src: `/pictures/validation/${String(i * 10).padStart(4, '0')}/0.jpg`, alt: '' });
  await image.decode();
  const [{ label }] = await model.classify(image, { topK: 1 });
  const figure = document.createElement('figure');
  figure.title = label;
  figure.append(image, label.split(' ')[0]);
  pictures.append(figure);
  status.textContent = `${i + 1} of 100 pictures`;
}
model.dispose();
worker.terminate();
status.textContent = '100 of 100 pictures, done';
