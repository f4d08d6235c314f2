import type { Model } from '../model/model.js';
import { Divergence } from '../quantization/divergence.js';
import { SCHEMES, type SchemeName } from '../quantization/schemes.js';
import type { Sample } from './metrics.js';

/** One way of quantizing, against float32 on the same images. */
export interface Rung {
  /** A scheme's name, 'float32', or what a candidate was called. */
  readonly scheme: string;
  readonly title: string;
  readonly top1: number;
  readonly agreement: number;
  readonly logitSqnrDb: number;
}

/** Every candidate beside the reference, image by image, the reference first. */
export async function ladder(
  reference: Model,
  candidates: ReadonlyMap<string, Model>,
  samples: AsyncIterable<Sample>,
  onProgress: () => void = () => undefined,
): Promise<Rung[]> {
  const rows = [...candidates].map(([scheme, model]) => ({ scheme, model, right: 0, divergence: new Divergence() }));
  let [images, right] = [0, 0];
  for await (const { image, label } of samples) {
    const expected = await reference.logits(image);
    let answer = -1;
    for (const row of rows) {
      const answers = row.divergence.add(expected, await row.model.logits(image));
      answer = answers[0];
      if (answers[1] === label) row.right++;
    }
    if (answer === label) right++;
    images++;
    onProgress();
  }
  const float: Rung = { scheme: 'float32', title: 'float32', top1: right / images, agreement: 1, logitSqnrDb: Number.POSITIVE_INFINITY };
  return [
    float,
    ...rows.map(({ scheme, right, divergence: { agreement, sqnrDb } }) => {
      return { scheme, title: SCHEMES[scheme as SchemeName]?.title ?? scheme, top1: right / images, agreement, logitSqnrDb: sqnrDb };
    }),
  ];
}
