/** Every error that this package throws on purpose carries a `code`; its message says what was given and what to do. */
export class MobileNetError extends Error {
  override readonly name: string = 'MobileNetError';

  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A file that is not a weights file, or is damaged or hostile. */
export class ModelFormatError extends MobileNetError {
  override readonly name = 'ModelFormatError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_MODEL_FORMAT', message, options);
  }
}

/** A sound file that holds something this package does not run. */
export class UnsupportedModelError extends MobileNetError {
  override readonly name = 'UnsupportedModelError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_UNSUPPORTED_MODEL', message, options);
  }
}

/** A tensor, image or option whose shape or range does not fit. */
export class ShapeError extends MobileNetError {
  override readonly name = 'ShapeError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_SHAPE', message, options);
  }
}

/** Quantization without calibration data, with a range that is not finite, or with an invalid scale. */
export class QuantizationError extends MobileNetError {
  override readonly name = 'QuantizationError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_QUANTIZATION', message, options);
  }
}

/** A model used after dispose(). */
export class DisposedError extends MobileNetError {
  override readonly name = 'DisposedError';

  constructor(what = 'model') {
    super('ERR_DISPOSED', `This ${what} was disposed; load it again to use it.`);
  }
}

/** An operation that the caller's AbortSignal ended. */
export class AbortError extends MobileNetError {
  /** What the platform's own aborts are called. */
  override readonly name = 'AbortError';

  constructor(reason?: unknown) {
    super('ERR_ABORTED', 'The operation was aborted.', { cause: reason });
  }
}

/** A file, data set or option that cannot be read or used. */
export class InputError extends MobileNetError {
  override readonly name = 'InputError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_INPUT', message, options);
  }
}

/** A damaged image file, or a file that is not an image. */
export class ImageError extends MobileNetError {
  override readonly name = 'ImageError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_IMAGE', message, options);
  }
}

/** The engine refused to give more memory. */
export class OutOfMemoryError extends MobileNetError {
  override readonly name = 'OutOfMemoryError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OUT_OF_MEMORY', message, options);
  }
}

/** A worker that died. */
export class WorkerError extends MobileNetError {
  override readonly name = 'WorkerError';

  constructor(message: string, options?: ErrorOptions) {
    super('ERR_WORKER', message, options);
  }
}
