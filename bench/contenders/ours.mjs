// This package, by its public API.

export async function ours(name, bytes, side, input, { loadModel, ...options }) {
  const model = await loadModel(bytes, options);
  const tensor = { data: input, shape: [1, side, side, 3] };
  return { name, run: () => model.predict(tensor), dispose: () => model.dispose() };
}
