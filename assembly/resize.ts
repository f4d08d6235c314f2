/*
 * Pixels to an input tensor, in three passes over planes that stay small: horizontal, vertical, normalise. Weights
 * come as a table, one row of `taps` f32 an output pixel with the first source pixel's index in front, so that one
 * kernel serves bilinear and bicubic, with and without antialiasing. After each pass values are rounded to 8 bits, as
 * Pillow does, because that is what networks were trained on.
 */

// @ts-ignore: decorator
@inline
function byte(x: f32): u8 {
  return <u8>min(max(floor(x + 0.5), 0), 255);
}

/** [height, sourceWidth, channels] u8 to [height, width, 3] u8; channels 1 (grey), 3 or 4 (alpha is left out). */
export function resize_horizontal(
  input: usize, output: usize, height: usize, sourceWidth: usize, channels: usize, width: usize, table: usize, taps: usize,
): void {
  const g: usize = channels > 1 ? 1 : 0;
  const b: usize = channels > 1 ? 2 : 0;
  for (let y: usize = 0; y < height; y++, input += sourceWidth * channels) {
    let row = table;
    for (let x: usize = 0; x < width; x++, output += 3) {
      let at = input + load<usize>(row) * channels;
      row += 4;
      let red: f32 = 0;
      let green: f32 = 0;
      let blue: f32 = 0;
      for (let t: usize = 0; t < taps; t++, at += channels, row += 4) {
        const w = load<f32>(row);
        red += w * <f32>load<u8>(at);
        green += w * <f32>load<u8>(at + g);
        blue += w * <f32>load<u8>(at + b);
      }
      store<u8>(output, byte(red));
      store<u8>(output, byte(green), 1);
      store<u8>(output, byte(blue), 2);
    }
  }
}

/** [sourceHeight, width, 3] u8 to [height, width, 3] f32: resized, then scale[c] * value + offset[c]. */
export function resize_vertical_normalize(
  input: usize, output: usize, width: usize, height: usize, table: usize, taps: usize, scaleAndOffset: usize,
): void {
  const rowBytes = width * 3;
  for (let y: usize = 0; y < height; y++) {
    const line = input + load<usize>(table) * rowBytes;
    const weights = table + 4;
    table += 4 + taps * 4;
    let c: usize = 0;
    for (let i: usize = 0; i < rowBytes; i++, output += 4) {
      let sum: f32 = 0;
      let at = line + i;
      for (let t: usize = 0; t < taps; t++, at += rowBytes) sum += load<f32>(weights + t * 4) * <f32>load<u8>(at);
      store<f32>(output, <f32>byte(sum) * load<f32>(scaleAndOffset + c) + load<f32>(scaleAndOffset + c, 12));
      c = c == 8 ? 0 : c + 4;
    }
  }
}

/** f32 [sourceHeight, sourceWidth, channels] to [height, width, channels]: resizeBilinear of the kernels entry. */
export function f32_resize(
  input: usize, output: usize, sourceWidth: usize, channels: usize, height: usize, width: usize,
  rows: usize, rowTaps: usize, columns: usize, columnTaps: usize,
): void {
  for (let y: usize = 0; y < height; y++, rows += 4 + rowTaps * 4) {
    let column = columns;
    for (let x: usize = 0; x < width; x++, column += 4 + columnTaps * 4) {
      const base = input + (load<usize>(rows) * sourceWidth + load<usize>(column)) * channels * 4;
      for (let c: usize = 0; c < channels; c++, output += 4) {
        let sum: f32 = 0;
        for (let ty: usize = 0; ty < rowTaps; ty++) {
          let line: f32 = 0;
          for (let tx: usize = 0; tx < columnTaps; tx++) {
            line += load<f32>(column + 4 + tx * 4) * load<f32>(base + ((ty * sourceWidth + tx) * channels + c) * 4);
          }
          sum += load<f32>(rows + 4 + ty * 4) * line;
        }
        store<f32>(output, sum);
      }
    }
  }
}
