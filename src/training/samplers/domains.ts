import { Fault } from '../../base/fault.ts';
import { defineSampler, type Sampler } from '../define-run.ts';
import { turnsOf } from './turns.ts';

/**
 * Domains take turns in one order, so every `batch` places in a row hold each of them ⌊B/E⌋ or ⌈B/E⌉ times. As many rows as there
 * are, up to whole turns; a last step too short for all domains is left out.
 */
export const domains: Sampler = defineSampler({
  id: 'domains',
  source: 'arXiv:2007.01434 (DomainBed: a minibatch of equal size from every domain); card 09-hessian-alignment',
  about:
    'Every step sees every domain equally often, however many rows it has: what methods that compare domains need. A batch that is a multiple of the number of domains makes the shares exactly equal.',
  formula: ['every step holds B/E rows of each of the E domains', 'P(row i) = 1 / (E · N_e), e the domain of row i'],
  options: {},
  baseline: 'shuffle',
  needs: ['domains'],
  epoch({ count, domains: of = [] }, { batch }, _, random) {
    const { groups, next } = turnsOf(of, count, random);
    const order = random.shuffle([...groups]);
    if (batch < order.length) throw new Fault('training/domain-batch', { batch, domains: order.length });
    const whole = count - (count % order.length);
    const length = whole % batch < order.length ? whole - (whole % batch) : whole;
    return { places: Float64Array.from({ length }, (_place, i) => next(order[i % order.length])) };
  },
});
