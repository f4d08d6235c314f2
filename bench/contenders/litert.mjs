// LiteRT.js (TensorFlow Lite) on its WebAssembly backend.

/** A quantized file takes bytes: what they are does not change the time. */
const BYTES = { int8: Int8Array, uint8: Uint8Array };

/** @param litert the module, loaded; @param model a .tflite file's bytes */
export async function litert({ loadAndCompile, Tensor }, name, model, side, input) {
  const compiled = await loadAndCompile(model, { accelerator: 'wasm' });
  const [{ dtype }] = compiled.getInputDetails();
  const values = dtype in BYTES ? BYTES[dtype].from(input, (x) => x * 64) : input;
  const image = new Tensor(values, [1, side, side, 3]);
  const run = async () => {
    const [logits] = await compiled.run(image);
    const data = await logits.data();
    logits.delete();
    return data;
  };
  return { name, run, dispose: () => compiled.delete() };
}
