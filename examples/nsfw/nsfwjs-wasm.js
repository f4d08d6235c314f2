// The same page with TensorFlow.js' WebAssembly backend, its fastest on a processor.
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { load } from './nsfwjs.js';

setWasmPaths('./tfjs/');
const model = await load('wasm');
const image = Object.assign(new Image(), { src: '/pictures/validation/0196/0.jpg' });
await image.decode();
globalThis.result = await model.classify(image);
