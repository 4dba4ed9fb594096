import { crc32, deflateSync } from 'node:zlib';
import { overlayScale } from '../../base/overlay-scale.ts';
import { hueOf, palettes, underMap } from '../../report/palette.ts';
import type { Attribution, Shown } from '../../report/tasks.ts';

/** Least and most pixels of the longer side. */
const [LEAST, MOST] = [96, 192];
/** Longest data URI that VS Code shows in a hover. */
const LONGEST = 256 * 1024;
/** Share of the map's colour where it is strongest. */
const OPACITY = 0.7;

/** A picture of bytes, three a pixel, as PNG: each row unfiltered. */
export const pngOf = (width: number, height: number, rgb: Uint8Array): Buffer => {
  const chunk = (type: string, body: Buffer): Buffer => {
    const named = Buffer.concat([Buffer.from(type, 'latin1'), body]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    check.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, check]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // Eight bits, colour.
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y++) rows.set(rgb.subarray(3 * width * y, 3 * width * (y + 1)), y * (1 + 3 * width) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
};

type MapShown = Extract<Shown, { kind: 'map' }>;

/** Pixels of the sample, under its map or as it is. */
const painted = (
  { picture, width: w, height: h }: MapShown,
  { values, outliers }: Attribution,
  width: number,
  height: number,
  mapped: boolean,
): Uint8Array => {
  const bytes = picture && Buffer.from(picture.base64, 'base64');
  const scale = overlayScale(values, outliers);
  const mode = values.some((v) => v < 0) ? 'signed' : 'absolute';
  const rgb = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const own = [255, 255, 255];
      if (picture && bytes) {
        const at = (Math.floor((y * picture.height) / height) * picture.width + Math.floor((x * picture.width) / width)) * picture.channels;
        for (let c = 0; c < 3; c++) own[c] = bytes[at + (picture.channels === 3 ? c : 0)];
      }
      if (!mapped) {
        rgb.set(own, 3 * (y * width + x));
        continue;
      }
      const ground = picture ? underMap(own[0], own[1], own[2]) : 255;
      const value = values[Math.floor((y * h) / height) * w + Math.floor((x * w) / width)];
      const strength = scale > 0 ? Math.max(-1, Math.min(1, value / scale)) : 0;
      const share = (picture ? OPACITY : 1) * Math.abs(strength);
      const colour = hueOf(strength, mode, palettes['blue-red']);
      for (let c = 0; c < 3; c++) rgb[3 * (y * width + x) + c] = Math.round((1 - share) * ground + share * colour[c]);
    }
  return rgb;
};

export interface Thumbnail {
  readonly width: number;
  readonly height: number;
  /** Data URIs of the sample under its map, and of the sample as it is. */
  readonly mapped: string;
  readonly plain?: string;
}

/** A sample that is a picture, in whole pixels where it is small; smaller where a data URI would be too long. */
export const thumbnailOf = (a: Attribution): Thumbnail | undefined => {
  const { shown } = a;
  if (shown.kind !== 'map') return undefined;
  const { picture, width: w, height: h } = shown;
  const [pw, ph] = picture ? [picture.width, picture.height] : [w, h];
  const longer = Math.max(pw, ph);
  for (let side = longer < LEAST ? longer * Math.ceil(LEAST / longer) : Math.min(longer, MOST); side >= 1; side = Math.floor(side / 2)) {
    const [width, height] = [Math.max(1, Math.round((pw * side) / longer)), Math.max(1, Math.round((ph * side) / longer))];
    const uri = (mapped: boolean): string =>
      `data:image/png;base64,${pngOf(width, height, painted(shown, a, width, height, mapped)).toString('base64')}`;
    const [mapped, plain] = [uri(true), picture ? uri(false) : ''];
    if (Math.max(mapped.length, plain.length) <= LONGEST) return { width, height, mapped, ...(picture ? { plain } : {}) };
  }
  return undefined;
};
