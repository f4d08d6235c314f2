/** Width multipliers that networks of the family are published at, the likeliest first. */
export const WIDTHS = [1, 0.75, 0.5, 0.35, 0.25, 1.25, 1.3, 1.4, 0.6, 0.8, 1.5, 2];
