import type { Job } from '../../base/job.ts';
import { median } from '../../base/maths/quantile.ts';
import { choice, flag, int } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { attributeRows, mapOptions, targetOptions } from './attributed-rows.ts';
import { attributionOptions } from './options.ts';
import { saliencyCards } from './saliency-cards.ts';
import { remedy, saliencyGuide } from './saliency-guide.ts';
import { INCOMPLETE, type Saliency } from './saliency-result.ts';
import { evenly } from './samples.ts';
import { sanity } from './sanity.ts';
import { sanityFindings } from './sanity-cards.ts';

/** Gradients and path integrals of one output entry with respect to the input, for some samples of the data. */
export const saliency: Diagnostic = defineStudy({
  id: 'saliency',
  title: 'Saliency',
  family: 'attribution',
  question: 'Which inputs speak for the answer, and which against it?',
  source: 'arXiv:1312.6034; arXiv:1703.01365; arXiv:1706.03825; card 00-attribution-common',
  uses: ['gradient', 'samples'],
  options: {
    ...attributionOptions,
    ...targetOptions,
    ...mapOptions,
    samples: int({ default: 16, min: 1, max: 256, help: 'Number of samples shown.' }),
    checks: flag({
      default: true,
      help: 'Checks beside the maps: deletion and insertion, infidelity, sensitivity, and maps after weights are redrawn.',
    }),
    order: choice({ default: 'evenly', of: ['evenly', 'first'], help: 'Which samples: evenly spaced over the split, or its first ones.' }),
  },
  async study(tools, chosen, job, subject): Promise<Saliency> {
    const { count } = tools.samples;
    const shown = Math.min(chosen.samples, count);
    const positions = chosen.order === 'evenly' ? evenly(shown, count) : Array.from({ length: shown }, (_, i) => i);
    const part = (from: number, to: number): Job => ({ ...job, progress: (f, text) => job.progress(from + (to - from) * f, text) });
    const { rows, found, own, asked } = await attributeRows(tools, positions, chosen, subject, part(0, chosen.checks ? 0.3 : 1), 128);
    const checks = chosen.checks ? await sanity(own, asked, found, chosen, subject, part(0.3, 1)) : undefined;
    return { ...rows, ...(checks ? { sanity: checks } : {}) };
  },
  report(s, chosen, subject) {
    const { completeness } = s.found;
    const incomplete = completeness ? completeness.relative.filter((g) => g > INCOMPLETE).length : 0;
    const checks = s.sanity && sanityFindings(s.sanity);
    return {
      headline: {
        rows: s.rows.length,
        ...(completeness
          ? {
              completeness_gap_relative_max: Math.max(...completeness.relative),
              completeness_gap_relative_median: median(completeness.relative),
              completeness_gap_max: Math.max(...completeness.gap.map(Math.abs)),
              incomplete_rows: incomplete,
            }
          : {}),
        ...checks?.headline,
      },
      ...(checks ? { intervals: checks.intervals } : {}),
      // Whether the maps can be trusted is read before them.
      cards: [...(checks?.verdict ?? []), ...saliencyCards(s, chosen, subject), ...(checks?.curves ?? [])],
      guide: saliencyGuide(s, chosen),
      notes: [
        ...(incomplete > 0
          ? [
              `${incomplete} of ${s.rows.length} samples have a completeness gap above 5 %: their maps do not add up to the change of the output. ${remedy(chosen.method)}`,
            ]
          : []),
        ...(checks?.notes ?? []),
      ],
    };
  },
});
