import { ModelFormatError } from '../../errors.js';

/*
 * The directory of a zip archive whose entries are stored, as torch.save stores them. Compressed entries are refused:
 * nothing is inflated, so that no archive can unpack to more than it is (APPNOTE.TXT, sections 4.3.7, 4.3.12, 4.3.16).
 */

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END_BYTES = 22;
const LONGEST_COMMENT = 0xffff;

/** Names to the entries' bytes, which are views of the archive. */
export function readStoredZip(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (what: string): never => {
    throw new ModelFormatError(`zip: ${what}; the file is truncated or damaged.`);
  };
  const u16 = (at: number) => (at >= 0 && at + 2 <= bytes.length ? view.getUint16(at, true) : fail(`no byte ${at}`));
  const u32 = (at: number) => (at >= 0 && at + 4 <= bytes.length ? view.getUint32(at, true) : fail(`no byte ${at}`));
  let end = bytes.length - END_BYTES;
  const earliest = Math.max(0, end - LONGEST_COMMENT);
  while (end >= earliest && u32(end) !== END) end--;
  if (end < earliest) fail('no directory at its end');
  const entries = new Map<string, Uint8Array>();
  const decoder = new TextDecoder();
  const count = u16(end + 10);
  for (let i = 0, at = u32(end + 16); i < count; i++) {
    if (u32(at) !== CENTRAL) fail(`entry ${i} of its directory is none`);
    const [compressed, size, nameLength] = [u32(at + 20), u32(at + 24), u16(at + 28)];
    const local = u32(at + 42);
    const name = decoder.decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (u16(at + 10) !== 0 || compressed !== size) {
      throw new ModelFormatError(
        `zip: "${name}" is compressed; entries are expected as they are, which torch.save and Keras keep them as.`,
      );
    }
    if (u32(local) !== LOCAL) fail(`"${name}" points to no entry`);
    const start = local + 30 + u16(local + 26) + u16(local + 28);
    if (start + size > bytes.length) fail(`"${name}" claims ${size} bytes from ${start} of ${bytes.length}`);
    entries.set(name, bytes.subarray(start, start + size));
    at += 46 + nameLength + u16(at + 30) + u16(at + 32);
  }
  return entries;
}
