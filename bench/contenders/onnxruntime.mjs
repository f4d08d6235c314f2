// onnxruntime, in WebAssembly or native: the same calls.

/** [h, w, 3] to [3, h, w] */
function planes(input, pixels) {
  const data = new Float32Array(input.length);
  for (let i = 0; i < pixels; i++) for (let c = 0; c < 3; c++) data[c * pixels + i] = input[i * 3 + c];
  return data;
}

/** @param ort the module: onnxruntime-web or onnxruntime-node */
export async function onnxruntime(ort, name, model, side, input, threads = 1) {
  const session = await ort.InferenceSession.create(model, {
    graphOptimizationLevel: 'all',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const feedsOf = (pixels) => ({ input: new ort.Tensor('float32', planes(pixels, side * side), [1, 3, side, side]) });
  const feeds = feedsOf(input);
  return {
    name,
    run: async (pixels) => (await session.run(pixels ? feedsOf(pixels) : feeds)).logits.data,
    dispose: () => session.release(),
  };
}
