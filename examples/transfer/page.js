import { Examples, loadModel, trainHead } from '/mobilenet-v3-wasm.js';

const ids = ['examples', 'label', 'files', 'classes', 'learn', 'save', 'try', 'answers', 'status'];
const [form, label, files, classes, learn, save, attempt, answers, status] = ids.map((id) => document.getElementById(id));

const model = await loadModel('/models/mobilenet_v3_small.safetensors', { worker: true });
const examples = new Examples();
let head;
status.textContent = 'Ready.';

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  for (const file of files.files) examples.add(label.value, await model.embed(file));
  form.reset();
  const lines = [...examples.counts].map(([name, count]) => `${name}: ${count} pictures`);
  classes.replaceChildren(...lines.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
  learn.disabled = examples.counts.size < 2;
});

learn.addEventListener('click', () => {
  const start = performance.now();
  head = trainHead(examples);
  status.textContent = `Learnt ${head.labels.length} classes in ${Math.round(performance.now() - start)} ms.`;
  save.disabled = false;
  attempt.disabled = false;
});

attempt.addEventListener('change', async () => {
  answers.replaceChildren();
  for (const file of attempt.files) {
    const [best] = head.classify(await model.embed(file));
    const figure = document.createElement('figure');
    figure.append(
      Object.assign(new Image(), { src: URL.createObjectURL(file), alt: '' }),
      `${best.label}, ${Math.round(best.probability * 100)} %`,
    );
    answers.append(figure);
  }
});

// The head is a small file; Head.load() reads it in another page, on the same network.
save.addEventListener('click', () => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([head.save()], { type: 'application/json' }));
  link.download = 'head.json';
  link.click();
});
