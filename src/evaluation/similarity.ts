import { cosineSimilarity, dot } from '../tasks/embedding.js';

/** Cosine similarities of two models' answers to the same images. */
export interface Similarity {
  /** Over the images. */
  readonly mean: number;
  /** Of the image that the two see most differently. */
  readonly least: number;
  /** Of all answers as one long vector, in which an answer weighs as much as its length. */
  readonly whole: number;
}

/** Adds up cosine similarities, image by image. */
export class Similarities {
  private readonly cosines: number[] = [];
  private product = 0;
  private readonly squares = [0, 0] as [number, number];

  add(a: Float32Array, b: Float32Array): void {
    this.cosines.push(cosineSimilarity(a, b));
    this.product += dot(a, b);
    this.squares[0] += dot(a, a);
    this.squares[1] += dot(b, b);
  }

  result(): Similarity {
    const { cosines, squares } = this;
    return {
      mean: cosines.reduce((a, b) => a + b, 0) / cosines.length,
      least: cosines.reduce((a, b) => Math.min(a, b), 1),
      whole: this.product / Math.sqrt(squares[0] * squares[1]),
    };
  }
}
