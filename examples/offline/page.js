const [file, picture, answer, status, network] = ['file', 'picture', 'answer', 'status', 'network'].map((id) =>
  document.getElementById(id),
);

const tell = () => {
  network.textContent = navigator.onLine
    ? 'There is a network. Nothing of your picture goes there.'
    : 'There is no network. It works all the same.';
};
addEventListener('online', tell);
addEventListener('offline', tell);
tell();

async function classify(blob) {
  const response = await fetch('./classify', { method: 'POST', body: blob });
  const result = await response.json();
  const lines = response.ok ? result.map(({ label, probability }) => `${label}: ${(probability * 100).toFixed(1)} %`) : [result.error];
  answer.replaceChildren(...lines.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
}

file.addEventListener('change', () => {
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(file.files[0]);
  classify(file.files[0]);
});

await navigator.serviceWorker.register('./sw.js', { type: 'module' });
await navigator.serviceWorker.ready;
if (!navigator.serviceWorker.controller) {
  await new Promise((controlled) => navigator.serviceWorker.addEventListener('controllerchange', controlled, { once: true }));
}
status.textContent = 'Ready: this page works without a network from now on.';
await classify(await (await fetch('/pictures/validation/0210/0.jpg')).blob());
