// LiteRT.js (TensorFlow Lite) on its WebAssembly backend.

// It reports each step on the console. In Node a console makes stderr non-blocking, and what others write there is lost.
if (globalThis.process) for (const level of ['error', 'warn', 'info', 'debug']) console[level] = () => undefined;

/** @param litert the module, loaded; @param model a .tflite file's bytes; @param input floats, or bytes where the file takes them */
export async function litert({ loadAndCompile, Tensor }, name, model, side, input, threads = 1) {
  const compiled = await loadAndCompile(model, { accelerator: 'wasm', cpuOptions: { numThreads: threads } });
  const tensorOf = (pixels) => new Tensor(pixels, [1, side, side, 3]);
  const image = tensorOf(input);
  const run = async (pixels) => {
    const [logits] = await compiled.run(pixels ? tensorOf(pixels) : image);
    const data = await logits.data();
    logits.delete();
    return data;
  };
  return { name, run, dispose: () => compiled.delete() };
}
