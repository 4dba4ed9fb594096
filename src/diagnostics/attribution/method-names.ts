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
