import { load, unsafe } from './model.js';

const [files, pictures, status] = ['files', 'pictures', 'status'].map((id) => document.getElementById(id));
const model = await load();
status.textContent = 'Ready.';

files.addEventListener('change', async () => {
  for (const file of files.files) {
    const figure = document.createElement('figure');
    figure.className = 'hidden';
    const image = Object.assign(new Image(), { src: URL.createObjectURL(file), alt: file.name });
    const caption = document.createElement('figcaption');
    figure.append(image, caption);
    pictures.append(figure);
    const predictions = await model.classify(file);
    if (unsafe(predictions) < 0.5) figure.className = '';
    caption.textContent = `${predictions[0].label}, ${(predictions[0].probability * 100).toFixed(1)} %`;
  }
  status.textContent = `${files.files.length} pictures looked at.`;
});
