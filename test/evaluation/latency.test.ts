import { buildGraph } from '../../src/architecture/build.js';
import { describe as summarize } from '../../src/architecture/describe.js';
import { estimate, estimateLayer, type LatencyTable, type LayerLatency } from '../../src/evaluation/latency/estimate.js';
import { layersOf } from '../../src/evaluation/latency/layers.js';
import { fitWhole, HELD_OUT, PROBES } from '../../src/evaluation/latency/measure.js';

/** A machine whose pace is known: some nanoseconds for each multiply-add, more of them where there are few channels. */
const pace = ({ work, channels, inputChannels, kind }: Omit<LayerLatency, 'milliseconds'>): number =>
  (work / 1e6) * (kind.startsWith('depthwise') ? 0.3 : 0.05) * (1 + 8 / channels + 8 / inputChannels);

function tableOfThat(): LatencyTable {
  const layers = PROBES.flatMap(({ architecture, width, resolution }) =>
    layersOf(buildGraph(architecture, { width, resolution })).map((layer) => ({ ...layer, milliseconds: pace(layer) })),
  );
  return { version: 1, date: '', machine: '', whole: { factor: 1.1, perLayer: 0.001 }, layers, blocks: [] };
}

describe('the layers of a graph', () => {
  it('are those that run: residuals and activations in their convolutions', () => {
    const layers = layersOf(buildGraph('mobilenet_v3_large'));
    expect(layers.filter(({ kind }) => kind.endsWith('residual'))).toHaveLength(10);
    expect(layers.some(({ kind }) => kind === 'add' || kind === 'hardSwish')).toBe(false);
    expect(layers.find(({ name }) => name === 'stem')).toMatchObject({
      kind: 'convolution 3x3 stride 2 hardSwish',
      pixels: 112 * 112,
      channels: 16,
    });
  });

  it('do all the multiply-adds of the network', () => {
    const convolutions = layersOf(buildGraph('mnasnet_a1')).filter(({ kind }) => / (clamp|hardSwish|residual)$/.test(kind));
    expect(convolutions.reduce((sum, { work }) => sum + work, 0)).toBe(summarize('mnasnet_a1').madds);
  });
});

describe('an estimate', () => {
  const table = tableOfThat();

  it('gives back what was measured of a shape that the table has', () => {
    const layer = table.layers.find(({ kind }) => kind.startsWith('depthwise 5x5')) as LayerLatency;
    const alone = estimateLayer(layer, [layer, { ...layer, pixels: layer.pixels * 3, milliseconds: layer.milliseconds * 9 }]);
    expect(alone / layer.milliseconds).toBeCloseTo(1, 2);
  });

  it('of a fully connected layer goes by networks of its length, which decides whether its weights are still in the caches', () => {
    const layer = table.layers.find(({ kind }) => kind === 'fully connected clamp') as LayerLatency;
    const measured = [
      { ...layer, network: 5e7, milliseconds: 0.2 },
      { ...layer, network: 5e8, milliseconds: 0.7 },
    ];
    expect(estimateLayer({ ...layer, network: 6e7 }, measured)).toBeCloseTo(0.2, 1);
    expect(estimateLayer({ ...layer, network: 4e8 }, measured)).toBeCloseTo(0.7, 1);
  });

  it.each(HELD_OUT)('of $architecture $width at $resolution px is within 5 % on a machine whose pace is known', (probe) => {
    const { architecture, width, resolution } = probe;
    const real = layersOf(buildGraph(architecture, { width, resolution })).reduce((sum, layer) => sum + 1.1 * pace(layer) + 0.001, 0);
    const { milliseconds, layers } = estimate(architecture, table, { width, resolution });
    expect(Math.abs(milliseconds / real - 1)).toBeLessThan(0.05);
    expect(layers.reduce((sum, layer) => sum + layer.milliseconds, 0)).toBeCloseTo(milliseconds, 9);
  });

  it('is of no network that the table was made from', () => {
    const same = HELD_OUT.filter((one) => PROBES.some(({ width }) => width === one.width));
    expect(same).toEqual([]);
  });

  it('knows the multiply-adds of the network for fully connected layers alone', () => {
    const layers = layersOf(buildGraph('mobilenet_v3_small'));
    const { madds } = summarize('mobilenet_v3_small');
    for (const { kind, network } of layers) expect(network).toBe(kind.startsWith('fully connected') ? madds : undefined);
  });

  it('finds what the clock takes for each layer', () => {
    const runs = [60, 40, 90, 55].map((layers, i) => ({ layers, sum: 3 + i, run: 1.05 * (3 + i) - 0.002 * layers }));
    const { factor, perLayer } = fitWhole(runs);
    expect(factor).toBeCloseTo(1.05, 9);
    expect(perLayer).toBeCloseTo(-0.002, 9);
  });

  it('says what is missing or wrong', () => {
    const without = { ...table, layers: table.layers.filter(({ kind }) => !kind.startsWith('depthwise 7x7')) };
    expect(() => estimate('proxylessnas_mobile', without)).toThrow(
      /no layer of kind "depthwise 7x7 stride 2 clamp"; it has .*bench --table/,
    );
    expect(() => estimate('mobilenet_v2', {} as LatencyTable)).toThrow(/needs what `bench --table FILE` wrote/);
    expect(() => estimate('mobilenet_v2', table, { width: 9 })).toThrow(/width must be/);
  });
});
