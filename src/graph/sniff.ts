import { textOf } from './utf8.ts';

interface Look {
  readonly at: number;
  readonly bytes: string;
  readonly is: string;
}
const zip = 'it is a zip file (a PyTorch or Keras archive?): export the model with torch.onnx.export or tf2onnx';
const hdf5 = 'it is an HDF5 file (Keras): convert it with tf2onnx';
const picture = (kind: string): string => `it is a ${kind} picture`;

/** First bytes of files that people take for ONNX models. */
const looks: readonly Look[] = [
  { at: 0, bytes: 'PK\x03\x04', is: zip },
  { at: 0, bytes: '\x80\x02', is: 'it is a Python pickle (an old PyTorch file?): export the model with torch.onnx.export' },
  { at: 0, bytes: '\x80\x04', is: 'it is a Python pickle: export the model with skl2onnx or torch.onnx.export' },
  { at: 0, bytes: '\x80\x05', is: 'it is a Python pickle: export the model with skl2onnx or torch.onnx.export' },
  { at: 0, bytes: '\x89HDF', is: hdf5 },
  { at: 4, bytes: 'TFL3', is: 'it is a TensorFlow Lite file: convert it with tf2onnx' },
  { at: 4, bytes: 'ORTM', is: 'it is in the ORT format: use the .onnx file it was made from' },
  { at: 0, bytes: 'GGUF', is: 'it is a GGUF file of weights, without a graph' },
  { at: 8, bytes: '{"', is: 'it is a safetensors file of weights, without a graph' },
  { at: 0, bytes: '\x93NUMPY', is: 'it is a NumPy array' },
  { at: 0, bytes: '\x1f\x8b', is: 'it is a gzip file: unpack it first' },
  { at: 0, bytes: '\x89PNG', is: picture('PNG') },
  { at: 0, bytes: '\xff\xd8\xff', is: picture('JPEG') },
  { at: 0, bytes: 'GIF8', is: picture('GIF') },
  { at: 0, bytes: '%PDF', is: 'it is a PDF document' },
  { at: 0, bytes: '\x7fELF', is: 'it is a program' },
  {
    at: 0,
    bytes: 'version https://git-lfs',
    is: "it is a Git LFS pointer, not the file itself: run 'git lfs pull'",
  },
];

const printable = (bytes: Uint8Array): boolean => bytes.every((b) => b >= 0x20 || (b >= 9 && b <= 13));

/** What a file that is no ONNX model looks like, in words, or undefined. */
export const sniff = (bytes: Uint8Array): string | undefined => {
  const head = bytes.subarray(0, 512);
  for (const { at, bytes: magic, is } of looks) {
    if (head.length >= at + magic.length && Array.from(magic).every((c, i) => head[at + i] === c.charCodeAt(0))) return is;
  }
  if (!printable(head)) return undefined;
  const text = textOf(head).trimStart();
  if (text.startsWith('<')) return 'it is a web page or XML (a failed download?)';
  if (text.startsWith('{') || text.startsWith('[')) return 'it is JSON text';
  return 'it is a text file';
};
