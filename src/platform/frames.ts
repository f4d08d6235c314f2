import { AbortError, InputError } from '../errors.js';
import type { Frame, Frames, VideoSource } from './platform.js';

type NewFrame = Omit<Frame, 'skipped'>;

/** Keeps the newest frame until it is asked for; what comes meanwhile takes its place and is counted. */
class Newest implements Frames {
  private kept: NewFrame | undefined;
  private came = 0;
  private over = false;
  private failure: Error | undefined;
  private wake: () => void = () => undefined;
  private readonly wakened = () => this.wake();

  /** @param stop ends what calls put() */
  constructor(private readonly stop: () => void) {}

  put(frame: NewFrame, count = 1): void {
    this.kept?.close();
    if (this.over) {
      frame.close();
      return;
    }
    this.kept = frame;
    this.came += count;
    this.wake();
  }

  end(failure?: Error): void {
    this.over = true;
    this.failure = failure;
    this.wake();
  }

  async next(signal?: AbortSignal): Promise<Frame | undefined> {
    if (!this.kept && !this.over) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
        signal?.addEventListener('abort', this.wakened);
      });
      signal?.removeEventListener('abort', this.wakened);
    }
    if (signal?.aborted) throw new AbortError(signal.reason);
    if (this.failure) throw this.failure;
    const frame = this.kept && { ...this.kept, skipped: this.came - 1 };
    this.kept = undefined;
    this.came = 0;
    return frame;
  }

  close(): void {
    this.over = true;
    this.kept?.close();
    this.kept = undefined;
    this.stop();
  }
}

/** A video shows its newest frame by itself: there is nothing to keep but the news of it. */
function ofElement(video: HTMLVideoElement, release: () => void = () => undefined): Newest {
  const stopped = new AbortController();
  const frames = new Newest(() => {
    stopped.abort();
    release();
  });
  const { signal } = stopped;
  const show = (timestamp: number, count?: number) => frames.put({ image: video, timestamp, close: () => undefined }, count);
  // What a paused video shows is a frame as well. On a busy page a callback may come later that tells of it, or of one before it.
  const begun = performance.now();
  const hasFrame = video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  if (hasFrame) show(begun);
  if ('requestVideoFrameCallback' in video) {
    let last: number | undefined;
    const heard: VideoFrameRequestCallback = (_, { presentationTime, presentedFrames }) => {
      if (signal.aborted) return;
      const known = presentedFrames === last || (hasFrame && presentationTime <= begun);
      if (!known) show(presentationTime, last === undefined ? 1 : presentedFrames - last);
      last = presentedFrames;
      video.requestVideoFrameCallback(heard);
    };
    video.requestVideoFrameCallback(heard);
  } else {
    // Firefox before 132.
    const element = video as HTMLVideoElement;
    let last = element.currentTime;
    const look = () => {
      if (signal.aborted) return;
      if (element.currentTime !== last) show(performance.now());
      last = element.currentTime;
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }
  const failed = () => frames.end(new InputError(`the video cannot be played: ${video.error?.message || 'the browser gives no reason'}.`));
  video.addEventListener('ended', () => frames.end(), { signal });
  video.addEventListener('error', failed, { signal });
  if (video.error) failed();
  else if (video.ended) frames.end();
  return frames;
}

interface TrackProcessor {
  readonly readable: ReadableStream<VideoFrame>;
}
type TrackProcessorClass = new (init: { track: MediaStreamTrack; maxBufferSize?: number }) => TrackProcessor;

/** Frames as the track hands them out: in Chromium's pages, and in workers. */
function ofTrack(track: MediaStreamTrack, Processor: TrackProcessorClass): Newest {
  const reader = new Processor({ track }).readable.getReader();
  const frames = new Newest(() => void reader.cancel().catch(() => undefined));
  const pump = async () => {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const image = read.value;
      frames.put({ image, timestamp: performance.now(), close: () => image.close() });
    }
    frames.end();
  };
  pump().catch((cause) => frames.end(new InputError('the track cannot be read.', { cause })));
  return frames;
}

async function ofStream(track: MediaStreamTrack): Promise<Newest> {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, playsInline: true, srcObject: new MediaStream([track]) });
  const stopped = new AbortController();
  const frames = ofElement(video, () => {
    stopped.abort();
    video.srcObject = null;
  });
  track.addEventListener('ended', () => frames.end(), { signal: stopped.signal });
  await video.play().catch((cause) => {
    frames.close();
    throw new InputError('the browser did not play the track; call watch() after a click or a touch of the page.', { cause });
  });
  return frames;
}

/** @throws InputError for anything but a video element or a live video track */
export async function framesOf(source: VideoSource): Promise<Frames> {
  if (typeof HTMLVideoElement !== 'undefined' && source instanceof HTMLVideoElement) return ofElement(source);
  if (typeof MediaStreamTrack === 'undefined' || !(source instanceof MediaStreamTrack) || source.kind !== 'video') {
    throw new InputError(`watch() takes a video element or a video track; got ${(source as { kind?: string })?.kind ?? typeof source}.`);
  }
  if (source.readyState === 'ended') throw new InputError('the track has ended; ask for the camera again.');
  const Processor = (globalThis as { MediaStreamTrackProcessor?: TrackProcessorClass }).MediaStreamTrackProcessor;
  return Processor ? ofTrack(source, Processor) : ofStream(source);
}
