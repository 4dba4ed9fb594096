import { convertIndexedToRgb, decode as decodePng } from 'fast-png';
import { decodeJpeg } from './jpeg.ts';

/** What the head of an image file tells. */
export interface ImageHead {
  readonly format: 'png' | 'jpeg';
  readonly width: number;
  readonly height: number;
  /** 3 where there is colour; transparency is not counted. */
  readonly channels: 1 | 3;
  readonly depth: 8 | 16;
  /** The camera said that the picture is to be turned before it is shown. */
  readonly turned: boolean;
}

/** Pixels row by row, channels interleaved, without transparency. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  readonly data: Uint8Array | Uint16Array;
}

/** Endings of files that count as images; what is inside decides how they are read. */
export const imageEndings: readonly string[] = ['.png', '.jpg', '.jpeg', '.jpe', '.jfif'];

/** Pixels of one image that are decoded at most: 2^28, a gigabyte of colours. */
const mostPixels = 2 ** 28;

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

const sized = (head: ImageHead): ImageHead => {
  const { width, height } = head;
  if (!(width > 0 && height > 0)) throw new Error('it has no pixels');
  if (width * height > mostPixels) throw new Error(`its ${width}×${height} pixels are too many`);
  return head;
};

/** Tag 0x0112 of the first directory of a TIFF block, from 1 (upright) to 8. */
const orientation = (tiff: Uint8Array): number => {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return 1;
  const little = view.getUint16(0) === 0x4949;
  const at = view.getUint32(4, little);
  if (at + 2 > tiff.length) return 1;
  const count = view.getUint16(at, little);
  for (let i = 0, p = at + 2; i < count && p + 12 <= tiff.length; i++, p += 12)
    if (view.getUint16(p, little) === 0x0112) return view.getUint16(p + 8, little);
  return 1;
};

/** Start-of-frame markers of the kinds that are decoded: baseline, extended and progressive, Huffman-coded. */
const frames = [0xc0, 0xc1, 0xc2];
const otherFrames = [0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf];

const jpegHead = async (read: (from: number, to: number) => Promise<Uint8Array>, size: number): Promise<ImageHead> => {
  let [at, turned] = [2, false];
  while (at + 4 <= size) {
    const [mark, kind, high, low] = await read(at, at + 4);
    if (mark !== 0xff) throw new Error('its segments do not follow each other');
    if (kind === 0xff || kind === 0x01 || (kind >= 0xd0 && kind <= 0xd8)) {
      at += kind === 0xff ? 1 : 2;
      continue;
    }
    const length = (high << 8) | low;
    if (length < 2 || at + 2 + length > size) throw new Error('it is cut off');
    if (otherFrames.includes(kind)) throw new Error('it is a lossless, hierarchical or arithmetic-coded JPEG');
    if (kind === 0xda || kind === 0xd9) break;
    if (kind === 0xe1 && length >= 16) {
      const body = await read(at + 4, at + 2 + Math.min(length, 4096));
      if (String.fromCharCode(...body.subarray(0, 4)) === 'Exif') turned ||= orientation(body.subarray(6)) > 1;
    }
    if (frames.includes(kind)) {
      const [precision, h1, h0, w1, w0, components] = await read(at + 4, at + 10);
      if (precision !== 8) throw new Error(`it has ${precision} bits a value where 8 can be read`);
      return sized({
        format: 'jpeg',
        width: (w1 << 8) | w0,
        height: (h1 << 8) | h0,
        channels: components === 1 ? 1 : 3,
        depth: 8,
        turned,
      });
    }
    at += 2 + length;
  }
  throw new Error('it holds no picture');
};

/** Reads the head by ranges. Throws an Error that says what is wrong. */
export const imageHead = async (read: (from: number, to: number) => Promise<Uint8Array>, size: number): Promise<ImageHead> => {
  const start = await read(0, Math.min(size, 512));
  if (pngSignature.every((b, i) => start[i] === b)) {
    if (start.length < 33 || String.fromCharCode(...start.subarray(12, 16)) !== 'IHDR') throw new Error('it is cut off');
    const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
    const colour = start[25];
    return sized({
      format: 'png',
      width: view.getUint32(16),
      height: view.getUint32(20),
      channels: colour === 0 || colour === 4 ? 1 : 3,
      depth: start[24] === 16 ? 16 : 8,
      turned: false,
    });
  }
  if (start[0] === 0xff && start[1] === 0xd8)
    return jpegHead(async (from, to) => (to <= start.length ? start.subarray(from, to) : read(from, Math.min(to, size))), size);
  throw new Error('it is neither PNG nor JPEG inside');
};

/** Greys of 1, 2 or 4 bits, each row filled up to whole bytes, spread over 0 to 255. */
const spread = (packed: ArrayLike<number>, width: number, height: number, depth: number): Uint8Array => {
  const out = new Uint8Array(width * height);
  const rowBytes = Math.ceil((width * depth) / 8);
  const most = 2 ** depth - 1;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const bit = x * depth;
      out[y * width + x] = (((packed[y * rowBytes + (bit >> 3)] >> (8 - depth - (bit & 7))) & most) * 255) / most;
    }
  return out;
};

/** The first `kept` of every `channels` values. */
const without = (data: Uint8Array | Uint16Array, channels: number, kept: 1 | 3): Uint8Array | Uint16Array => {
  if (channels === kept) return data;
  const out =
    data instanceof Uint16Array ? new Uint16Array((data.length / channels) * kept) : new Uint8Array((data.length / channels) * kept);
  for (let i = 0, o = 0; i < data.length; i += channels) for (let c = 0; c < kept; c++) out[o++] = data[i + c];
  return out;
};

const plain = (data: Uint8Array | Uint8ClampedArray | Uint16Array): Uint8Array | Uint16Array =>
  data instanceof Uint8ClampedArray ? new Uint8Array(data.buffer, data.byteOffset, data.length) : data;

/**
 * A whole PNG or JPEG file, as torchvision's image folders read it: palettes become colours, transparency is dropped without blending,
 * the camera's orientation is not applied. 16-bit PNGs keep their values. Throws an Error that says what is wrong.
 */
export const decodeImage = (bytes: Uint8Array, { format, width, height, channels }: ImageHead): DecodedImage => {
  const pixels = width * height;
  const checked = (data: Uint8Array | Uint16Array): DecodedImage => {
    if (data.length !== pixels * channels) throw new Error(`it holds ${data.length} values where ${pixels * channels} are due`);
    return { width, height, channels, data };
  };
  if (format === 'jpeg') return checked(decodeJpeg(bytes).data);
  const png = decodePng(bytes, { checkCrc: true });
  if (png.palette) {
    const colours = convertIndexedToRgb(png);
    return checked(without(colours, colours.length / pixels, 3));
  }
  if (png.depth < 8) return checked(spread(png.data, width, height, png.depth));
  return checked(without(plain(png.data), png.channels, channels));
};
