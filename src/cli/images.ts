import { ImageError } from '../errors.js';
import type { Sample } from '../evaluation/metrics.js';
import type { Tensor } from '../inputs.js';
import type { Model } from '../model/model.js';
import { warn } from './output.js';

/** Image files on their way into a model; those that cannot be decoded are named, counted and left out. */
export class Images {
  readonly skipped: string[] = [];

  constructor(private readonly model: Model) {}

  private async read(path: string): Promise<Tensor | undefined> {
    try {
      return await this.model.preprocess(path);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      this.skipped.push(path);
      warn(`skipped: ${error.message}`);
      return undefined;
    }
  }

  async *labelled(files: readonly { path: string; label?: number }[]): AsyncGenerator<Sample & { image: Tensor; name: string }> {
    for (const { path, label } of files) {
      const image = await this.read(path);
      if (image) yield { image, label, name: path };
    }
  }

  async *unlabelled(paths: readonly string[]): AsyncGenerator<Tensor> {
    for (const path of paths) {
      const image = await this.read(path);
      if (image) yield image;
    }
  }
}
