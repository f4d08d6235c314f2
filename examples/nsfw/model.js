import { loadModel } from 'mobilenet-v3-wasm';

/** The classes of nsfwjs, and how its network takes pictures. */
const labels = ['Drawing', 'Hentai', 'Neutral', 'Porn', 'Sexy'];
const preprocessing = { mean: [0, 0, 0], std: [1, 1, 1], crop: 1, interpolation: 'bilinear' };
const UNSAFE = new Set(['Hentai', 'Porn', 'Sexy']);

export const load = (options = {}) => loadModel('./model/model.json', { labels, preprocessing, ...options });

/** How probable it is that a picture is not safe. */
export const unsafe = (predictions) => predictions.reduce((sum, { label, probability }) => sum + (UNSAFE.has(label) ? probability : 0), 0);
