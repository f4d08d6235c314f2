// A network before anything is compiled, and after a minute without a pause.
import { loadModel } from 'mobilenet-v3-wasm';
import { type Cold, type NetworkName, quantile, type Sustained, WARM_UP } from './result';

/** The first load of each network, before anything is compiled in this worker. */
export async function coldStart(files: ReadonlyMap<NetworkName, Uint8Array>, input: Float32Array): Promise<Cold[]> {
  const [network, bytes] = [...files][0] as [NetworkName, Uint8Array];
  const begun = performance.now();
  const model = await loadModel(bytes);
  await model.predict({ data: input, shape: [1, model.inputSize, model.inputSize, 3] });
  const milliseconds = performance.now() - begun;
  model.dispose();
  return [{ network, precision: 'int8', milliseconds }];
}

const WINDOW_MILLISECONDS = 10_000;

/**
 * A network in int8 as fast as it goes, for a while.
 *
 * @param going says whether to go on
 * @param tell hears the seconds that it ran, a few times a second
 */
export async function sustain(
  network: NetworkName,
  bytes: Uint8Array,
  input: Float32Array,
  seconds: number,
  going: () => boolean,
  tell: (seconds: number) => void,
): Promise<Sustained | undefined> {
  const model = await loadModel(bytes, { threads: 'auto' });
  const tensor = { data: input, shape: [1, model.inputSize, model.inputSize, 3] as const };
  for (let i = 0; i < WARM_UP; i++) await model.predict(tensor);
  const ends: number[] = [];
  const times: number[] = [];
  const start = performance.now();
  let told = start;
  while (going() && performance.now() - start < seconds * 1000) {
    const at = performance.now();
    await model.predict(tensor);
    const end = performance.now();
    times.push(end - at);
    ends.push(end - start);
    if (end - told < 250) continue;
    told = end;
    tell((end - start) / 1000);
    await new Promise((resolve) => setTimeout(resolve));
  }
  model.dispose();
  const ran = ends.at(-1) ?? 0;
  // Cut short: it says nothing of heat.
  if (ran < seconds * 1000 * 0.9) return undefined;
  const span = Math.min(WINDOW_MILLISECONDS, ran / 2);
  const first = times.filter((_, i) => (ends[i] as number) <= span);
  const last = times.filter((_, i) => (ends[i] as number) >= ran - span);
  return { network, precision: 'int8', seconds: ran / 1000, inferences: times.length, ratio: quantile(last, 0.9) / quantile(first, 0.9) };
}
