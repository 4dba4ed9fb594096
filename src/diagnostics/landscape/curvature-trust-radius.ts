import { choice, int, real } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { lossOption } from './loss-option.ts';
import { radiusCards, radiusGuide, radiusHeadline } from './trust-radius-cards.ts';
import { trustRadius } from './trust-radius-run.ts';

export const curvatureTrustRadius: Diagnostic = defineStudy({
  id: 'curvature-trust-radius',
  title: 'Curvature Trust Radius',
  family: 'landscape',
  question: 'Is the model converged or only slow, and would second-order training be worth it here?',
  source: 'arXiv:2506.13710; card 13-gradient-normalized-newton',
  uses: ['loss'],
  numbers: ['gamma_*', 'decrease_*', 'loss', 'gradient_norm', 'largest_eigenvalue'],
  options: {
    loss: lossOption,
    rows: int({ default: 1024, min: 0, max: 10_000_000, help: 'Rows of the loss, drawn by the seed; 0 is all.' }),
    l2: real({ default: 0, min: 0, max: 1e6, help: 'Weight of ½‖θ‖² in the loss.' }),
    norm: choice({
      default: 'euclidean',
      of: ['euclidean', 'curvature'],
      help: 'How steps are measured: all parameters alike, or each by the diagonal of Gauss–Newton here, so that their units do not matter.',
    }),
    tries: int({ default: 40, min: 1, max: 1000, help: 'Radii tried for each curvature at most.' }),
    dense: int({
      default: 200,
      min: 0,
      max: 3000,
      help: 'Up to so many parameters curvature is formed and factored; above, conjugate gradients.',
    }),
  },
  study: ({ loss }, chosen, job) => trustRadius(loss, chosen, job),
  report: (found) => ({ headline: radiusHeadline(found), cards: radiusCards(found), guide: radiusGuide(found) }),
});
