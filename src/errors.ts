/** Every error that this package throws on purpose carries a `code`; its message says what was given and what to do. */
export class MobileNetError extends Error {
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A file that is no weights file, or a damaged or hostile one. */
export class ModelFormatError extends MobileNetError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_MODEL_FORMAT', message, options);
  }
}

/** A sound file that holds something this package does not run. */
export class UnsupportedModelError extends MobileNetError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_UNSUPPORTED_MODEL', message, options);
  }
}

/** A tensor, image or option whose shape or range does not fit. */
export class ShapeError extends MobileNetError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_SHAPE', message, options);
  }
}

/** Quantization that cannot be done: no calibration data, no finite range, a scale that is none. */
export class QuantizationError extends MobileNetError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_QUANTIZATION', message, options);
  }
}

/** A model used after dispose(). */
export class DisposedError extends MobileNetError {
  constructor(what = 'model') {
    super('ERR_DISPOSED', `This ${what} was disposed; load it again to use it.`);
  }
}

/** An operation that the caller's AbortSignal ended. */
export class AbortError extends MobileNetError {
  constructor(reason?: unknown) {
    super('ERR_ABORTED', 'The operation was aborted.', { cause: reason });
    this.name = 'AbortError';
  }
}

/** A file, data set or option that cannot be read or used. */
export class InputError extends MobileNetError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_INPUT', message, options);
  }
}

/** An image file that is damaged or none. */
export class ImageError extends MobileNetError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_IMAGE', message, options);
  }
}

/** Memory that cannot be had. */
export class OutOfMemoryError extends MobileNetError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_OUT_OF_MEMORY', message, options);
  }
}
