import { choice, int, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { aupimoCards, aupimoGuide, aupimoHeadline, aupimoIntervals } from './aupimo-cards.ts';
import { type Aupimo, runAupimo } from './aupimo-run.ts';

/** Memory: one batch of maps, 2·U·n of the n normal scores, 24 MiB of bins and a curve an anomalous image. */
export const aupimo: Diagnostic = defineStudy({
  id: 'aupimo',
  title: 'Anomaly Map Benchmark (AUPIMO)',
  family: 'metrics',
  question: 'Which individual defects are missed when false alarms on normal parts are nearly forbidden?',
  source: 'arXiv:2401.01984; card 33-aupimo',
  uses: ['maps'],
  options: {
    maps: text({
      default: '',
      reads: true,
      help: 'Anomaly maps: an array of the data, or a file (./maps.npy); none: the output of the model, else the array maps.',
    }),
    masks: text({
      default: '',
      reads: true,
      help: 'Masks of defects: an array of the data, a file, or a folder of images called like the data (./ground_truth); none: the array masks, or the folder ground_truth.',
    }),
    fprLower: real({ default: 1e-5, min: 1e-9, max: 1, help: 'Lower bound of the shared false-positive rate.' }),
    fprUpper: real({ default: 1e-4, min: 1e-9, max: 1, help: 'Upper bound of the shared false-positive rate.' }),
    mode: choice({
      default: 'exact',
      of: ['exact', 'reference'],
      help: 'exact: the step function is summed; reference: 300,000 thresholds and trapezoids, as the authors do.',
    }),
    resized: choice({
      default: 'maps',
      of: ['maps', 'masks', 'off'],
      help: 'What is resized where maps and masks differ in size: maps bilinearly, masks to the nearest pixel; off refuses.',
    }),
    proLimit: real({ default: 0.3, min: 0.001, max: 1, help: 'False-positive rate up to which AUPRO is taken.' }),
    compareWith: text({ default: '', reads: true, help: 'A second model (.onnx), or another array or file of maps, on the same images.' }),
    tolerance: real({ default: 1e-3, min: 0, max: 1, help: 'Differences of two scores up to this count as ties.' }),
    shown: int({ default: 6, min: 0, max: 6, help: 'Images of the box plot that are shown with outlines.' }),
    bootstrap: int({ default: 2000, min: 100, max: 100_000, help: 'Resamples of the anomalous images behind the intervals.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
  },
  study: (tools, chosen, job): Promise<Aupimo> => runAupimo(tools.maps, chosen, job),
  report: (r, chosen) => ({
    headline: aupimoHeadline(r, chosen),
    intervals: aupimoIntervals(r, chosen),
    cards: aupimoCards(r, chosen),
    guide: aupimoGuide(r, chosen),
    notes: r.notes,
  }),
});
