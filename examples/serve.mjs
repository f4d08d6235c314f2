// A small server for the pages here: node serve.mjs FOLDER [PORT]. Beside the folder it serves what the pages share.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('..', import.meta.url));
const SHARED = {
  '/mobilenet-v3-wasm.js': join(repository, 'examples/node_modules/mobilenet-v3-wasm-standalone/mobilenet-v3-wasm.js'),
  '/models/': join(repository, 'checkpoints/'),
  '/pictures/': join(repository, 'images/'),
};
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
};

/** Where a request's path leads, or undefined where it leads out of the folders. */
function fileOf(folder, path) {
  const shared = Object.keys(SHARED).find((start) => path === start || (start.endsWith('/') && path.startsWith(start)));
  const root = resolve(shared ? SHARED[shared] : folder);
  const file = resolve(root, `.${sep}${path.slice(shared ? shared.length : 0)}`);
  if (file !== root && !file.startsWith(root + sep)) return undefined;
  return path.endsWith('/') ? join(file, 'index.html') : file;
}

/** Serves a folder; `headers` go with every answer. */
export async function serve(folder, { port = 0, headers = {} } = {}) {
  const server = createServer(async (request, response) => {
    const file = fileOf(folder, decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    const found = file && (await stat(file).catch(() => undefined));
    if (!found?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    const type = TYPES[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'content-type': type, 'content-length': found.size, 'cache-control': 'no-cache', ...headers });
    createReadStream(file).pipe(response);
  });
  await new Promise((listening) => server.listen(port, '127.0.0.1', listening));
  return { server, address: `http://127.0.0.1:${server.address().port}/` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = '.', port = '8080'] = process.argv.slice(2);
  const { address } = await serve(folder, { port: Number(port) });
  console.log(address);
}
