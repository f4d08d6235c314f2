// A page of nsfwjs, for a count of the bytes that it loads.
import { load } from './nsfwjs.js';

const model = await load();
const canvas = Object.assign(document.createElement('canvas'), { width: 224, height: 224 });
globalThis.result = await model.classify(canvas);
