import { attributionAudit } from './attribution/attribution-audit.ts';
import { attributionChecks } from './attribution/attribution-checks.ts';
import { attributionComparison } from './attribution/attribution-comparison.ts';
import { attributionSummary } from './attribution/attribution-summary.ts';
import { blockLeak } from './attribution/block-leak.ts';
import { saliency } from './attribution/saliency.ts';
import { generationConfidence } from './calibration/generation-confidence.ts';
import { localCalibration } from './calibration/local-calibration.ts';
import { multiLabelCalibration } from './calibration/multi-label-calibration.ts';
import { recalibration } from './calibration/recalibration.ts';
import { regressionCalibration } from './calibration/regression-calibration.ts';
import { reliability } from './calibration/reliability.ts';
import { learningCurve } from './data/learning-curve.ts';
import type { Diagnostic } from './define.ts';
import { curvatureTrustRadius } from './landscape/curvature-trust-radius.ts';
import { gradientNoise } from './landscape/gradient-noise.ts';
import { aupimo } from './metrics/aupimo.ts';
import { compareModels } from './metrics/compare-models.ts';
import { computeBudget } from './metrics/compute-budget.ts';
import { confusionMatrix } from './metrics/confusion-matrix.ts';
import { discoveryMetrics } from './metrics/discovery-metrics.ts';
import { domainWeightedEnsemble } from './metrics/domain-weighted-ensemble.ts';
import { frechetMeanPrediction } from './metrics/frechet-mean-prediction.ts';
import { promptEnsemble } from './metrics/prompt-ensemble.ts';
import { rankProfile } from './metrics/rank-profile.ts';
import { rankingMetrics } from './metrics/ranking-metrics.ts';
import { regressionReport } from './metrics/regression-report.ts';
import { classAngleMap } from './representation/class-angle-map.ts';
import { linearProbe } from './representation/linear-probe.ts';
import { linearSeparability } from './representation/linear-separability.ts';
import { routingCouplings } from './representation/routing-couplings.ts';
import { adversarialRobustness } from './robustness/adversarial-robustness.ts';
import { domainAlignment } from './robustness/domain-alignment.ts';
import { denseBalance } from './training/dense-balance.ts';
import { foregroundBackgroundBalance } from './training/foreground-background-balance.ts';
import { gradientDilution } from './training/gradient-dilution.ts';
import { scaleInvariance } from './training/scale-invariance.ts';
import { zLossSweep } from './training/z-loss-sweep.ts';

/** Every diagnostic, in the order shown. A new one is a file `<family>/<id>.ts` and a line here. */
export const diagnostics: readonly Diagnostic[] = [
  confusionMatrix,
  compareModels,
  rankingMetrics,
  rankProfile,
  regressionReport,
  aupimo,
  discoveryMetrics,
  frechetMeanPrediction,
  promptEnsemble,
  learningCurve,
  gradientNoise,
  curvatureTrustRadius,
  domainWeightedEnsemble,
  computeBudget,
  reliability,
  multiLabelCalibration,
  regressionCalibration,
  localCalibration,
  recalibration,
  generationConfidence,
  linearProbe,
  linearSeparability,
  classAngleMap,
  domainAlignment,
  adversarialRobustness,
  routingCouplings,
  gradientDilution,
  foregroundBackgroundBalance,
  denseBalance,
  scaleInvariance,
  zLossSweep,
  saliency,
  attributionSummary,
  attributionComparison,
  attributionChecks,
  attributionAudit,
  blockLeak,
];
