import { loadModel } from '/mobilenet-v3-wasm.js';

const [video, start, stop, answer, status] = ['video', 'start', 'stop', 'answer', 'status'].map((id) => document.getElementById(id));
const loading = loadModel('/models/mobilenet_v3_small.safetensors', { worker: true });
let abort;

start.addEventListener('click', async () => {
  start.disabled = true;
  try {
    const constraints = { video: { facingMode: 'environment', width: { ideal: 640 } } };
    const [stream, model] = await Promise.all([navigator.mediaDevices.getUserMedia(constraints), loading]);
    video.srcObject = stream;
    await video.play();
    abort = new AbortController();
    stop.disabled = false;
    await watch(model, abort.signal);
  } catch (error) {
    if (!abort?.signal.aborted) status.textContent = error.message; // no camera, or it was refused
  }
  // The camera's light goes out.
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  start.disabled = false;
  stop.disabled = true;
});
stop.addEventListener('click', () => abort.abort());

/** Answers for the newest frame, again and again. Frames that come meanwhile are left out: the picture never lags behind. */
async function watch(model, signal) {
  let frames = 0;
  let left = 0;
  for await (const { predictions, skipped } of model.watch(video, { topK: 3, signal })) {
    frames++;
    left += skipped;
    const lines = predictions.map(({ label, probability }) => `${label}: ${(probability * 100).toFixed(1)} %`);
    answer.replaceChildren(...lines.map((text) => Object.assign(document.createElement('li'), { textContent: text })));
    status.textContent = `${frames} frames, ${left} left out`;
  }
}
