import platform from '#platform';
import { throwIfAborted } from '../abort.js';
import type { Model, Watched, WatchOptions } from './model.js';

/** Model.watch() by classify(), whichever thread that runs on. */
export async function* watch(
  model: Pick<Model, 'classify'>,
  video: HTMLVideoElement | MediaStreamTrack,
  options: WatchOptions = {},
): AsyncGenerator<Watched, void, undefined> {
  const { signal } = options;
  throwIfAborted(signal);
  const frames = await platform.frames(video);
  try {
    for (let frame = await frames.next(signal); frame; frame = await frames.next(signal)) {
      const { image, timestamp, skipped, close } = frame;
      const predictions = await model.classify(image, options).finally(close);
      yield { predictions, timestamp, skipped };
    }
  } finally {
    frames.close();
  }
}
