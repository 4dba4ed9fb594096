/** The job process of the product, from its sources; says which process it is in the file that ASSAY_PID names. */
import { appendFileSync } from 'node:fs';

appendFileSync(process.env.ASSAY_PID ?? '', `${process.pid}\n`);
await import('../../src/jobs/process.ts');
