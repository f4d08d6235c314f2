import type { Tensor } from '../inputs.js';
import { sessionOf } from '../model/local-model.js';
import type { Model } from '../model/model.js';
import { calibrate } from '../quantization/calibrate.js';
import { floatNetwork } from '../quantization/dequantize.js';
import type { Frontier } from '../quantization/frontier.js';
import { sensitivities } from '../quantization/sensitivity.js';
import { frontierPlot } from './frontier-plot.js';
import { type Bar, bars, escaped, page, percent } from './html.js';
import { layerErrors } from './layer-error.js';

/** What quantizing does to one layer. */
export interface LayerReport {
  readonly name: string;
  /** Of float32 values of the layer's output, on the images looked at. */
  readonly min: number;
  readonly max: number;
  /** The share of its int8 network's values that lie at an end of their lanes, where an activation's own clamp does not put them. */
  readonly saturated: number;
  /** Signal over noise of the layer's output, all layers up to it quantized; infinite where there is none. */
  readonly sqnrDb: number | null;
  /** Signal over noise of the logits with only this layer quantized, and the share of images whose top-1 stays. */
  readonly aloneSqnrDb: number | null;
  readonly aloneAgreement: number;
}

export interface QuantizationReport {
  readonly architecture: string;
  readonly images: number;
  readonly layers: readonly LayerReport[];
  /** Where bits were chosen by a budget. */
  readonly frontier?: Pick<Frontier, 'tensors' | 'points' | 'chosen'>;
}

const finite = (value: number | undefined) => (value !== undefined && Number.isFinite(value) ? value : null);

/** Looks at each convolution of a quantized model, on a few images. */
export async function quantizationReport(
  float: Model,
  int8: Model,
  images: AsyncIterable<Tensor>,
  onLayer: () => void = () => undefined,
  frontier?: Frontier,
): Promise<QuantizationReport> {
  const inputs: Tensor[] = [];
  const keeping = async function* () {
    for await (const image of images) {
      inputs.push(image);
      yield image;
    }
  };
  const { ranges, inputs: probes } = await calibrate(sessionOf(float), keeping());
  const network = floatNetwork(sessionOf(float).network);
  const errors = new Map((await layerErrors(float, int8, inputs)).map(({ name, sqnrDb }) => [name, sqnrDb]));
  const saturation = await saturated(int8, inputs);
  const alone = await sensitivities(network, ranges, probes, { onProgress: onLayer });
  const byName = new Map(alone.map((layer) => [layer.name, layer]));
  const layers = network.graph.nodes.flatMap(({ name }): LayerReport[] => {
    const layer = byName.get(name);
    const range = ranges.get(name);
    if (!layer || !range) return [];
    return [
      {
        name,
        min: Math.min(...range.min),
        max: Math.max(...range.max),
        saturated: saturation.get(name) ?? 0,
        sqnrDb: finite(errors.get(name)),
        aloneSqnrDb: finite(layer.sqnrDb),
        aloneAgreement: layer.agreement,
      },
    ];
  });
  const { tensors, points, chosen } = frontier ?? {};
  return {
    architecture: float.architecture,
    images: inputs.length,
    layers,
    ...(tensors && points && chosen ? { frontier: { tensors, points, chosen } } : {}),
  };
}

/** For each tensor in lanes, the share of values at an end of them. A floor of zero is a ReLU's and counts as none. */
async function saturated(model: Model, inputs: readonly Tensor[]): Promise<Map<string, number>> {
  const session = sessionOf(model);
  const counts = new Map<string, { at: number; of: number }>();
  for (const input of inputs) {
    session.observe(session.put(input), ({ name, shape, pointer, rowStride, pixelStride, lanes }, memory) => {
      if (!lanes) return;
      const values = new Int16Array(memory.buffer);
      const count = counts.get(name) ?? { at: 0, of: 0 };
      for (let y = 0; y < shape[0]; y++) {
        for (let x = 0; x < shape[1]; x++) {
          const start = (pointer + y * rowStride + x * pixelStride) / 2;
          for (let c = start; c < start + shape[2]; c++) {
            const value = values[c] as number;
            if (value >= lanes.high || (value <= lanes.low && lanes.low < 0)) count.at++;
          }
        }
      }
      count.of += shape[0] * shape[1] * shape[2];
      counts.set(name, count);
    });
  }
  return new Map([...counts].map(([name, { at, of }]) => [name, at / of]));
}

/** The report as one page. */
export function quantizationPage({ architecture, images, layers, frontier }: QuantizationReport): string {
  const chart = (value: (layer: LayerReport) => number | null) => {
    const rows = layers.flatMap((layer): Bar[] => {
      const db = value(layer);
      return db === null ? [] : [{ name: layer.name, value: db, text: db.toFixed(1), int8: true }];
    });
    return bars(rows, 'layers');
  };
  const db = (value: number | null) => (value === null ? '' : value.toFixed(1));
  const row = ({ name, min, max, saturated, sqnrDb, aloneSqnrDb, aloneAgreement }: LayerReport) => {
    const cells = [escaped(name), min.toFixed(2), max.toFixed(2), percent(saturated), db(sqnrDb), db(aloneSqnrDb), percent(aloneAgreement)];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  };
  const head = ['layer', 'least', 'most', 'saturated', 'SQNR so far, dB', 'alone, dB', 'alone, agreement'];
  return page(
    'What int8 does to each layer',
    `<p>${escaped(architecture)}, ${images} images.</p>
${frontier ? `<h2>Bits of activations</h2><p>Each point gives one tensor more 16 bits. The large one was chosen.</p>\n${frontierPlot(frontier)}` : ''}
<h2>Logits with one layer quantized alone</h2><p>Signal over noise in dB; the shortest bars are the layers to keep in float32 first.</p>
${chart((layer) => layer.aloneSqnrDb)}
<h2>Error so far</h2><p>Signal over noise of each layer's output with all layers up to it quantized, in dB.</p>
${chart((layer) => layer.sqnrDb)}
<h2>In numbers</h2><div class="scroll"><table><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr>${layers.map(row).join('\n')}</table></div>`,
  );
}
