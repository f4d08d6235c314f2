import { describe as summarize } from '../../src/architecture/describe.js';

describe('describe()', () => {
  // torchvision's own counts: sum(p.numel()), and its models' documented GFLOPs.
  it.each([
    ['mobilenet_v3_small', 2_542_856, 56.5],
    ['mobilenet_v3_large', 5_483_032, 216.6],
    ['mobilenet_v2', 3_504_872, 300.8],
  ] as const)('counts %s as torchvision does', (architecture, parameters, megaMadds) => {
    const summary = summarize(architecture);
    expect(summary.parameters).toBe(parameters);
    expect(Math.round(summary.madds / 1e5) / 10).toBe(megaMadds);
  });

  it('gives a row for the stem, every block, the head and each layer of the classifier', () => {
    const { blocks, parameters, madds } = summarize('mobilenet_v3_small');
    expect(blocks).toHaveLength(1 + 11 + 3);
    expect(blocks.reduce((sum, block) => sum + block.parameters, 0)).toBe(parameters);
    expect(blocks.reduce((sum, block) => sum + block.madds, 0)).toBe(madds);
    expect(blocks[4]).toMatchObject({ name: 'blocks.3', kernel: 5, stride: 2, expand: 96, squeezeExcite: true, activation: 'hardSwish' });
  });

  it('refuses what cannot be', () => {
    expect(() => summarize('mobilenet_v4' as 'mobilenet_v2')).toThrow(
      /architecture must be one of mobilenet_v3_small, .*; got "mobilenet_v4"/,
    );
    expect(() => summarize('mobilenet_v2', { width: 0 })).toThrow(/width must be a number from 0.1 to 4; got 0/);
    expect(() => summarize('mobilenet_v2', { resolution: 31 })).toThrow(/32 to 512/);
    expect(() => summarize('mobilenet_v2', { classes: 0 })).toThrow(/classes must be a whole number from 1 to 1,000,000; got 0/);
  });
});
