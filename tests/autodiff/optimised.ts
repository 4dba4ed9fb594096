import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession } from 'onnxruntime-node';

/** The file as ONNX Runtime's optimiser writes it at its 'extended' level, which leaves its own operators in it. */
export const optimised = async (bytes: Uint8Array): Promise<Uint8Array> => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-optimised-'));
  const path = join(folder, 'model.onnx');
  try {
    const options = { graphOptimizationLevel: 'extended', optimizedModelFilePath: path, logSeverityLevel: 3 } as const;
    await (await InferenceSession.create(bytes, options)).release();
    return readFileSync(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
