export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

/** How far one model's logits or features are from another's, over as many inputs as are added. */
export class Divergence {
  private signal = 0;
  private noise = 0;
  private inputs = 0;
  private agreeing = 0;

  /** @returns the classes that the two answer */
  add(expected: Float32Array, actual: Float32Array): readonly [number, number] {
    const mean = expected.reduce((sum, value) => sum + value, 0) / expected.length;
    for (let i = 0; i < expected.length; i++) {
      this.signal += ((expected[i] as number) - mean) ** 2;
      this.noise += ((expected[i] as number) - (actual[i] as number)) ** 2;
    }
    const answers = [argmax(expected), argmax(actual)] as const;
    if (answers[0] === answers[1]) this.agreeing++;
    this.inputs++;
    return answers;
  }

  /** The share of inputs with the same top-1. */
  get agreement(): number {
    return this.agreeing / this.inputs;
  }

  /** 10 log10 of the variance of the expected logits over the mean square of the difference; infinite where there is none. */
  get sqnrDb(): number {
    return 10 * Math.log10(this.signal / this.noise);
  }
}
