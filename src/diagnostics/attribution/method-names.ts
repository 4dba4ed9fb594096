/** Attribution methods by id, with the names they are known by. */
export const methodTitles = {
  'integrated-gradients': 'Integrated Gradients',
  gradient: 'Gradient',
  'gradient-x-input': 'Gradient × Input',
  smoothgrad: 'SmoothGrad',
  'smoothgrad-squared': 'SmoothGrad²',
  vargrad: 'VarGrad',
  'expected-gradients': 'Expected Gradients',
  'gradient-shap': 'GradientSHAP',
  'grad-cam': 'Grad-CAM',
  'grad-cam-plus-plus': 'Grad-CAM++',
  'layer-gradient-x-activation': 'Layer Gradient × Activation',
  'layer-integrated-gradients': 'Layer Integrated Gradients',
  'layer-conductance': 'Layer Conductance',
  'guided-backpropagation': 'Guided Backpropagation',
  deconvolution: 'Deconvolution',
  deeplift: 'DeepLIFT (rescale)',
  'lrp-epsilon': 'LRP-ε',
  'lrp-gamma': 'LRP-γ',
  occlusion: 'Occlusion',
  rise: 'RISE',
  'kernel-shap': 'KernelSHAP',
} as const;
export type MethodId = keyof typeof methodTitles;
export const methodIds = Object.keys(methodTitles) as MethodId[];

/** Headings of lists of methods. */
export const methodGroups: Readonly<Record<MethodId, string>> = {
  'integrated-gradients': 'Paths from a baseline',
  'expected-gradients': 'Paths from a baseline',
  'gradient-shap': 'Paths from a baseline',
  deeplift: 'Paths from a baseline',
  gradient: 'Gradients',
  'gradient-x-input': 'Gradients',
  smoothgrad: 'Gradients',
  'smoothgrad-squared': 'Gradients',
  vargrad: 'Gradients',
  'grad-cam': 'Layers',
  'grad-cam-plus-plus': 'Layers',
  'layer-gradient-x-activation': 'Layers',
  'layer-integrated-gradients': 'Layers',
  'layer-conductance': 'Layers',
  'guided-backpropagation': 'Backward rules',
  deconvolution: 'Backward rules',
  'lrp-epsilon': 'Backward rules',
  'lrp-gamma': 'Backward rules',
  occlusion: 'Hiding inputs',
  rise: 'Hiding inputs',
  'kernel-shap': 'Hiding inputs',
};

/** Options that a method reads beside those that all read. */
export const methodReads: Readonly<Record<MethodId, readonly MethodOption[]>> = {
  'integrated-gradients': ['baseline', 'steps', 'quadrature'],
  gradient: [],
  'gradient-x-input': [],
  smoothgrad: ['noiseSamples', 'noiseScale'],
  'smoothgrad-squared': ['noiseSamples', 'noiseScale'],
  vargrad: ['noiseSamples', 'noiseScale'],
  'expected-gradients': ['draws'],
  'gradient-shap': ['draws', 'noiseScale'],
  'grad-cam': ['layer'],
  'grad-cam-plus-plus': ['layer'],
  'layer-gradient-x-activation': ['layer'],
  'layer-integrated-gradients': ['layer', 'baseline', 'steps', 'quadrature'],
  'layer-conductance': ['layer', 'baseline', 'steps'],
  'guided-backpropagation': [],
  deconvolution: [],
  deeplift: ['baseline'],
  'lrp-epsilon': ['epsilon'],
  'lrp-gamma': ['epsilon', 'gamma'],
  occlusion: ['baseline', 'window', 'stride'],
  rise: ['baseline', 'masks'],
  'kernel-shap': ['baseline', 'masks'],
};
type MethodOption =
  | 'baseline'
  | 'steps'
  | 'draws'
  | 'quadrature'
  | 'layer'
  | 'noiseSamples'
  | 'noiseScale'
  | 'epsilon'
  | 'gamma'
  | 'window'
  | 'stride'
  | 'masks';
