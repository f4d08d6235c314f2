/** MobileNetV3 paper (arXiv 1905.02244), Table 4: top-1 on ImageNet's 50,000 validation images, in per cent. */
export const TABLE_4: Readonly<Record<string, { readonly float: number; readonly int8: number }>> = {
  mobilenet_v3_large: { float: 75.2, int8: 73.8 },
  mobilenet_v3_small: { float: 67.4, int8: 64.9 },
  mobilenet_v2: { float: 72.0, int8: 70.9 },
};
