// What the conformance test asks of an engine, for runtimes that are no browsers: every network, by every way to run it.

export const FILES = ['small-float32', 'small-int8', 'large-float32', 'large-int8'];
export const SHAPE = [1, 64, 64, 3];

/**
 * @param bytesOf from a file's name to its bytes
 * @param settings options of loadModel(), a set for each run
 */
export async function conform(loadModel, bytesOf, settings) {
  const input = { data: new Float32Array((await bytesOf('input')).slice().buffer), shape: SHAPE };
  const runs = [];
  for (const file of FILES) {
    const weights = await bytesOf(file);
    for (const { name, ...options } of settings) {
      let model;
      try {
        model = await loadModel(weights, options);
      } catch (error) {
        if (options.kernels !== 'planes' || error.code !== 'ERR_UNSUPPORTED_MODEL') throw error;
        runs.push({ file, name, lacks: error.message });
        continue;
      }
      let logits;
      // Long enough for 'auto' to have thought again.
      const times = options.kernels === undefined && (options.threads ?? 1) === 1 ? 8 : 1;
      for (let i = 0; i < times; i++) logits = await model.predict(input);
      runs.push({ file, name, got: model.runtimeFeatures, logits: [...logits] });
      model.dispose();
    }
  }
  return runs;
}
