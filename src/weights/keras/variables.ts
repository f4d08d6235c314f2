import type { Constant } from '../constants.js';

/** Where a layer's variables are looked up. */
export interface LayerVariables {
  /**
   * @param path names of the models that the layer lies in, the outermost first, and its own name last
   * @param name what Keras calls the variable: kernel, depthwise_kernel, gamma
   * @param position of the variable in the order in which the layer has them
   */
  find(path: readonly LayerName[], name: string, position: number): Constant | undefined;
}

export interface LayerName {
  readonly name: string;
  /** What Keras 3 calls it in a file of weights: its class in snake case, and a number where there are several. */
  readonly place: string;
}

/**
 * Variables by names as TensorFlow gives them: Conv1/kernel:0, or with the models around the layer before it. Names of layers may
 * hold slashes themselves: Conv is not expanded_conv/Conv.
 */
export function namedVariables(variables: ReadonlyMap<string, Constant>): LayerVariables {
  const byVariable = new Map<string, string[]>();
  for (const full of variables.keys()) {
    const variable = full.slice(full.lastIndexOf('/') + 1).replace(/:0$/, '');
    byVariable.set(variable, [...(byVariable.get(variable) ?? []), full]);
  }
  return {
    find(path, name) {
      const layer = path.at(-1)?.name as string;
      const around = new Set(path.map((part) => part.name));
      const wanted = `${layer}/${name}`;
      const candidates = (byVariable.get(name) ?? []).filter((full) => {
        const plain = full.replace(/:0$/, '');
        if (plain === wanted) return true;
        return (
          plain.endsWith(`/${wanted}`) &&
          plain
            .slice(0, -wanted.length - 1)
            .split('/')
            .every((part) => around.has(part))
        );
      });
      // The one that names the most of the models around it.
      candidates.sort((a, b) => b.length - a.length);
      const [found] = candidates;
      return found === undefined ? undefined : variables.get(found);
    },
  };
}

/** Variables of Keras 3's model.weights.h5: layers/conv2d_3/vars/0, models inside of models likewise. */
export function placedVariables(variables: ReadonlyMap<string, Constant>): LayerVariables {
  return {
    find: (path, _, position) =>
      variables.get(
        `${path
          .slice(1)
          .map(({ place }) => `layers/${place}/`)
          .join('')}vars/${position}`,
      ),
  };
}
