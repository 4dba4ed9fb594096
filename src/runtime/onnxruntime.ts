import { choose } from './choose.ts';
import { possible } from './devices.ts';
import { convolutionBlock } from './onnxruntime/block.ts';
import { version } from './onnxruntime/native.ts';
import { nodeTimes } from './onnxruntime/times.ts';
import type { Runtime } from './session.ts';

/** ONNX Runtime behind the port; nothing native is loaded before the first session. */
export const onnxruntime = (): Runtime => ({
  version: version(),
  open: choose,
  times: nodeTimes,
  block: convolutionBlock,
  devices: async () => (await possible()).map(({ hardware: _, ...told }) => told),
});
