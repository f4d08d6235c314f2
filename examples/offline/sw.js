// Keeps the page, the package and the weights, and classifies what is posted to ./classify: a server that needs no network.
import { loadModel } from '/mobilenet-v3-wasm.js';

const CACHE = 'pictures-1'; // another name brings every file anew
const WEIGHTS = '/models/mobilenet_v3_small.safetensors';
const FILES = [
  './',
  './page.js',
  './style.css',
  './icon.svg',
  './app.webmanifest',
  '/pictures/validation/0210/0.jpg',
  '/mobilenet-v3-wasm.js',
  WEIGHTS,
];

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

self.addEventListener('activate', (event) => {
  const dropOld = async () => {
    for (const name of await caches.keys()) if (name !== CACHE) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(dropOld());
});

/** Loaded with the first picture. The browser may end a service worker at any time: then the next picture loads it again. */
let model;
const loaded = () => {
  model ??= caches
    .match(WEIGHTS)
    .then((kept) => kept.blob())
    .then((weights) => loadModel(weights));
  return model;
};

async function classify(request) {
  try {
    const predictions = await (await loaded()).classify(await request.blob(), { topK: 3 });
    return Response.json(predictions);
  } catch (error) {
    return Response.json({ error: error.message }, { status: 400 });
  }
}

self.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'POST' && new URL(request.url).pathname.endsWith('/classify')) event.respondWith(classify(request));
  else if (request.method === 'GET') event.respondWith(caches.match(request).then((kept) => kept ?? fetch(request)));
});
