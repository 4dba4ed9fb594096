import { auditExperiment } from '../diagnostics/audit-experiment.ts';
import { round } from './measure.ts';

/** Card 05 (c): gradient mass in the picture and accuracy of the four block models, and DiffROAR with its controls on digits and BlockDigits. */
export const auditFigures = async (): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>> => {
  const began = performance.now();
  const { blocks, digits, blockDigits } = await auditExperiment();
  const rounded = (of: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [name, Math.round(1000 * value) / 1000]));
  return {
    blocks: rounded(blocks),
    digits: rounded(digits.headline),
    blockDigits: rounded(blockDigits.headline),
    all: { seconds: round((performance.now() - began) / 1000) },
  };
};
