// A Cloudflare Worker: POST a JPEG, get JSON. There, nobody compiles bytes and nothing decodes pictures for us: the kernels come as modules
// that the runtime has compiled, and jpeg-js decodes.
import { decode } from 'jpeg-js';
import { loadModel } from 'mobilenet-v3-wasm';
import baseline from 'mobilenet-v3-wasm-standalone/baseline.wasm';
import relaxed from 'mobilenet-v3-wasm-standalone/relaxed.wasm';
import weights from './model.safetensors';

/** Loaded with the first request, for all that come to this isolate. */
let model;

export default {
  async fetch(request) {
    if (request.method !== 'POST') return Response.json({ error: 'POST a JPEG.' }, { status: 405 });
    const bytes = new Uint8Array(await request.arrayBuffer());
    let picture;
    try {
      const { data, width, height } = decode(bytes, { useTArray: true, maxResolutionInMP: 25 });
      picture = { data, width, height, channels: 4 };
    } catch (error) {
      return Response.json({ error: `the picture cannot be decoded: ${error.message}` }, { status: 400 });
    }
    model ??= loadModel(weights, { compiled: { baseline, relaxed } });
    return Response.json(await (await model).classify(picture, { topK: 3 }));
  },
};
