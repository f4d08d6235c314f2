// A service in Deno: POST a picture to /classify, get JSON.
//
//   deno run --allow-net --allow-read --allow-env --allow-sys --allow-ffi main.ts
import process from 'node:process';
import { loadModel } from 'mobilenet-v3-wasm';

const weights = process.env.WEIGHTS ?? new URL('../../checkpoints/mobilenet_v3_small.safetensors', import.meta.url);
// On this thread: Deno 2.9 copies typed arrays to a worker at more than a microsecond a value, which is longer than an inference takes.
const model = await loadModel(weights);

Deno.serve({ port: Number(process.env.PORT ?? 8080), hostname: '127.0.0.1' }, async (request: Request) => {
  if (request.method !== 'POST') return Response.json({ error: 'POST a picture.' }, { status: 405 });
  try {
    return Response.json(await model.classify(await request.blob(), { topK: 3 }));
  } catch (error) {
    return Response.json({ error: (error as Error).message }, { status: 400 });
  }
});
