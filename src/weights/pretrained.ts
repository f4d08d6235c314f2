import type { Preprocessing } from '../graph/network.js';
import { checkPreprocessing, parseJson, readLabels } from './metadata.js';

/** What a timm config.json, beside the weights, says of them. */
export interface Pretrained {
  readonly preprocessing?: Preprocessing;
  readonly labels?: readonly string[];
  /** timm's name of the network begins with tf_: trained by TensorFlow, whose padding and epsilon it has. */
  readonly tensorflow?: boolean;
}

/** @throws ModelFormatError for a config whose pretrained_cfg is damaged */
export function readPretrained(text: string): Pretrained {
  const config = parseJson(text, 'config.json beside the weights') as Record<string, unknown> | null;
  const { pretrained_cfg: pretrained, architecture, label_names: labels } = config ?? {};
  const { mean, std, crop_pct: crop, interpolation } = (pretrained ?? {}) as Record<string, unknown>;
  return {
    ...(pretrained ? { preprocessing: checkPreprocessing({ mean, std, crop, interpolation }) } : {}),
    ...(Array.isArray(labels) ? { labels: readLabels(JSON.stringify(labels), labels.length) as string[] } : {}),
    ...(typeof architecture === 'string' && architecture.startsWith('tf_') ? { tensorflow: true } : {}),
  };
}
