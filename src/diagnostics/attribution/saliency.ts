import { Fault } from '../../base/fault.ts';
import type { Job } from '../../base/job.ts';
import { median } from '../../base/maths/quantile.ts';
import { choice, flag, int, pick } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { attributeSamples } from './attribute.ts';
import { attributable } from './embedded.ts';
import { attributionOptions } from './options.ts';
import { saliencyCards } from './saliency-cards.ts';
import { saliencyGuide } from './saliency-guide.ts';
import { INCOMPLETE, type Saliency } from './saliency-result.ts';
import { evenly, inputValues, picturesOf } from './samples.ts';
import { sanity } from './sanity.ts';
import { sanityFindings } from './sanity-cards.ts';
import { classNamed, predictions } from './targets.ts';
import { tokenRows } from './tokens.ts';

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
    target: choice({ default: 'predicted', of: ['predicted', 'label'], help: 'The class whose output is attributed.' }),
    class: pick({ default: '', from: 'class', help: 'One class, by name or index, for all samples; overrides target.' }),
    samples: int({ default: 16, min: 1, max: 256, help: 'Number of samples shown.' }),
    checks: flag({
      default: true,
      help: 'Checks beside the maps: deletion and insertion, infidelity, sensitivity, and maps after weights are redrawn.',
    }),
    order: choice({ default: 'evenly', of: ['evenly', 'first'], help: 'Which samples: evenly spaced over the split, or its first ones.' }),
  },
  async study(tools, chosen, job, subject): Promise<Saliency> {
    const { samples } = tools;
    const fixed = classNamed(chosen.class, subject.classes);
    if (samples.count === 0) throw new Fault('diagnostic/no-samples', { data: subject.dataName });
    const count = Math.min(chosen.samples, samples.count);
    const positions = chosen.order === 'evenly' ? evenly(count, samples.count) : Array.from({ length: count }, (_, i) => i);
    job.progress(0, `reading ${count} samples`);
    const taken = await samples.take(positions, job.signal);
    const x = inputValues(taken.x.data);
    const predicted = predictions(taken.outputs, subject);
    const labels = subject.classes.length > 1 ? taken.labels : undefined;
    if (fixed === undefined && chosen.target === 'label' && !labels) throw new Fault('diagnostic/no-label', { row: taken.rows[0] });
    labels?.forEach((label, b) => {
      if (!(label >= 0 && label < subject.classes.length))
        throw new Fault('diagnostic/label', { row: taken.rows[b], label, classes: subject.classes.length });
    });
    const targets = fixed === undefined ? (chosen.target === 'label' && labels ? labels : predicted) : new Int32Array(count).fill(fixed);
    job.progress(0.1, `attributing ${count} samples`);
    const pictures = await picturesOf(samples, taken.rows, x, 128, job.signal);
    const points = await attributable(tools, x, job.signal);
    const own = { gradient: tools.gradient, samples: points.samples };
    const { rows, outputs } = taken;
    const asked = {
      x: points.x,
      rows,
      outputs,
      targets,
      ...(points.inputs ? { inputs: points.inputs } : {}),
      ...(pictures ? { axes: pictures.axes } : {}),
    };
    const part = (from: number, to: number): Job => ({ ...job, progress: (f, text) => job.progress(from + (to - from) * f, text) });
    const found = await attributeSamples(own, asked, chosen, subject, part(0.1, chosen.checks ? 0.3 : 1));
    const checks = chosen.checks ? await sanity(own, asked, found, chosen, subject, part(0.3, 1)) : undefined;
    const tokens = await tokenRows(points.samples, rows, points.inputs, found, chosen.method, job.signal);
    return {
      rows: taken.rows,
      found,
      targets,
      predicted,
      ...(checks ? { sanity: checks } : {}),
      ...(tokens ? { tokens } : {}),
      ...(labels ? { labels } : {}),
      ...(pictures ? { pictures } : {}),
    };
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
      cards: [...saliencyCards(s, chosen, subject), ...(checks?.cards ?? [])],
      guide: saliencyGuide(s, chosen),
      notes: [
        ...(incomplete > 0
          ? [
              `${incomplete} of ${s.rows.length} samples have a completeness gap above 5 %: their maps do not add up to the change of the output. Set steps to 200, or quadrature to adaptive.`,
            ]
          : []),
        ...(checks?.notes ?? []),
      ],
    };
  },
});
