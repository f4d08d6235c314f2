import { compare } from '../../src/evaluation/metrics.js';
import { Similarities } from '../../src/evaluation/similarity.js';
import type { NetworkSummary } from '../../src/graph/summary.js';
import type { Tensor } from '../../src/inputs.js';
import type { Model } from '../../src/model/model.js';

it('gives the mean, the least, and the cosine of all answers as one vector', () => {
  const similarities = new Similarities();
  similarities.add(Float32Array.of(3, 4), Float32Array.of(3, 4));
  similarities.add(Float32Array.of(1, 0), Float32Array.of(0, 1));
  expect(similarities.result()).toEqual({ mean: 0.5, least: 0, whole: 25 / 26 });
});

/** A model that answers with the logits which it is given in turn. */
function answering(logits: readonly number[][], probabilities?: NetworkSummary['probabilities']): Model {
  const answers = logits.map((values) => Float32Array.from(values));
  const next = async () => answers.shift() as Float32Array;
  const summary = probabilities ? { probabilities } : {};
  return { classes: probabilities ? 2 : 0, summary, predict: next, embed: next } as unknown as Model;
}

describe('compare()', () => {
  const image: Tensor = { data: new Float32Array(3), shape: [1, 1, 1, 3] };
  const samples = [{ image }, { image }];

  it('tells logits near zero, which turn far, from probabilities, which hardly move', async () => {
    const float = [
      [0.1, 0.1],
      [4, -4],
    ];
    const int8 = [
      [0.1, -0.1],
      [4, -4],
    ];
    const { cosine, probabilities } = await compare(answering(float, 'softmax'), answering(int8, 'softmax'), samples);
    expect(cosine.least).toBeCloseTo(0, 6);
    const [p, q] = [1 / (1 + Math.exp(-0.2)), 1 / (1 + Math.exp(0.2))];
    expect(probabilities?.least).toBeCloseTo((0.5 * p + 0.5 * q) / (Math.SQRT1_2 * Math.hypot(p, q)), 6);
    expect(probabilities?.mean).toBeCloseTo(((probabilities?.least ?? 0) + 1) / 2, 6);
  });

  it('has the probabilities by sigmoid where the network has them so', async () => {
    const [a, b] = [[[0, 0]], [[0, Math.log(3)]]];
    const { probabilities } = await compare(answering(a, 'sigmoid'), answering(b, 'sigmoid'), samples.slice(1));
    expect(probabilities?.least).toBeCloseTo((0.5 * 0.5 + 0.5 * 0.75) / (Math.SQRT1_2 * Math.hypot(0.5, 0.75)), 6);
  });

  it('has no probabilities without a classifier', async () => {
    const { cosine, probabilities } = await compare(answering([[3, 4]]), answering([[3, 4]]), samples.slice(1));
    expect([cosine.least, cosine.whole, probabilities]).toEqual([1, 1, undefined]);
  });
});
