// A service: POST a picture to /classify, get JSON. One model a core, each on a thread of its own.
//
//   WEIGHTS=mobilenet_v3_small.safetensors PORT=8080 node server.mjs
//   curl --data-binary @picture.jpg http://localhost:8080/classify
import { createServer } from 'node:http';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { loadModel } from 'mobilenet-v3-wasm';

const { PORT = '8080', WEIGHTS = fileURLToPath(new URL('../../checkpoints/mobilenet_v3_small.safetensors', import.meta.url)) } =
  process.env;
const MOST_BYTES = 20e6;
/** More than this wait in line: it is kinder to say so than to let everybody wait. */
const MOST_WAITING = 200;

const models = await Promise.all(Array.from({ length: availableParallelism() }, () => loadModel(WEIGHTS, { worker: true })));
const busy = models.map(() => 0);

/** The model with the fewest pictures in line. */
async function classify(picture) {
  const chosen = busy.indexOf(Math.min(...busy));
  busy[chosen]++;
  try {
    return await models[chosen].classify(picture, { topK: 5 });
  } finally {
    busy[chosen]--;
  }
}

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function bodyOf(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Refusal(413, `a picture may have ${MOST_BYTES} bytes at most.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function answer(request) {
  const { pathname } = new URL(request.url, 'http://localhost');
  if (pathname === '/health') return { models: models.length, waiting: busy.reduce((sum, n) => sum + n, 0) };
  if (pathname !== '/classify') throw new Refusal(404, 'POST a picture to /classify.');
  if (request.method !== 'POST') throw new Refusal(405, 'POST a picture to /classify.');
  if (busy.reduce((sum, n) => sum + n, 0) >= MOST_WAITING) throw new Refusal(503, 'too many pictures are waiting; try again.');
  const picture = await bodyOf(request);
  return classify(picture);
}

/** What the caller can mend is 4xx: the package's errors tell by their code. */
const statusOf = (error) => error.status ?? (['ERR_IMAGE', 'ERR_INPUT'].includes(error.code) ? 400 : 500);

const server = createServer(async (request, response) => {
  const send = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  try {
    send(200, await answer(request));
  } catch (error) {
    const status = statusOf(error);
    if (status === 500) console.error(error);
    send(status, { error: status === 500 ? 'the server failed.' : error.message });
    request.resume();
  }
});
server.listen(Number(PORT), '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/classify, ${models.length} models`));

process.once('SIGTERM', () => {
  // What was begun is finished; then nothing keeps the process.
  server.close(() => {
    for (const model of models) model.dispose();
  });
});
