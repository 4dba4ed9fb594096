import { choice, flag, int, pick, real, text } from '../../base/option.ts';
import { type Diagnostic, defineStudy } from '../define.ts';
import { denseCards, denseGuide, denseHeadline, denseIntervals, denseNotes } from './dense-balance-cards.ts';
import { denseRun } from './dense-balance-run.ts';

/** Holds targets of all images, 8 bytes an anchor; scores a batch at a time. */
export const denseBalance: Diagnostic = defineStudy({
  id: 'dense-balance',
  title: 'Foreground-Background Balance of a Detector',
  family: 'training',
  question:
    'Of a model that scores classes at thousands of anchors an image: does background drown the objects, and which first bias prevents that?',
  source: 'arXiv:1909.04868; card 01-sampling-free',
  uses: ['features', 'columns', 'biases'],
  numbers: [
    ...['images', 'anchors', 'classes', 'ignored', 'positives', 'prior', 'mean_probability', 'optimal_bias', 'background_to_foreground'],
    ...['background_to_foreground_focal', 'loss_per_positive', 'positives_per_row', 'background_to_foreground_zero_bias'],
    ...['background_to_foreground_optimal_bias', 'class_loss', 'box_loss', 'guided_weight'],
  ],
  options: {
    tensor: pick({
      default: '',
      from: 'layer',
      help: 'Tensor of class scores, one sigmoid a class; of a Sigmoid what it reads is taken. Empty: the diagnosed output.',
    }),
    tensorLayout: choice({
      default: 'anchors',
      of: ['anchors', 'classes-first', 'channels'],
      help: 'How it lies: [anchors, classes], [classes, anchors], or [k · classes, height, width] with k anchors a place.',
    }),
    classCount: int({
      default: 0,
      min: 0,
      max: 1e6,
      help: 'Classes, where they lie as channels; 0 is 1 there, and elsewhere what the shape tells.',
    }),
    targets: pick({ default: '', from: 'column', help: 'Array of class numbers per anchor: -1 ignored, 0 background, 1 and on classes.' }),
    boxes: pick({ default: '', from: 'column', help: 'In its place: array of boxes [rows, boxes, 4], matched with the anchors.' }),
    boxClasses: pick({ default: '', from: 'column', help: 'Array of their classes [rows, boxes], from 1 on; 0 fills up.' }),
    anchors: text({ default: '', reads: true, help: 'An .npy or .npz file of anchors [anchors, 4], in the order of the scores.' }),
    boxFormat: choice({
      default: 'xyxy',
      of: ['xyxy', 'xywh', 'cxcywh'],
      help: 'Numbers of a box and of an anchor: two corners, a corner with width and height, or a centre with them.',
    }),
    foreground: real({ default: 0.5, min: 0, max: 1, help: 'Overlap (IoU) from which an anchor is foreground.' }),
    background: real({ default: 0.4, min: 0, max: 1, help: 'Overlap below which it is background; between the two it is ignored.' }),
    lowQuality: flag({ default: true, help: 'The anchors that overlap a box most are its own, whatever the overlap.' }),
    regression: pick({ default: '', from: 'layer', help: 'Tensor of box outputs [anchors, numbers], for the loss of boxes.' }),
    regressionTargets: pick({ default: '', from: 'column', help: 'Array of what they should be, [rows, anchors, numbers].' }),
    beta: real({ default: 0.11, min: 1e-9, max: 1e6, help: 'Where smooth-L1 turns from square to line.' }),
    batch: int({ default: 16, min: 1, max: 100_000, help: 'Images of a batch, for the losses by batch.' }),
    normaliser: choice({
      default: 'foreground',
      of: ['foreground', 'foreground+images'],
      help: 'What the loss of classes is divided by: foreground anchors, or these and the images as RetinaNet’s code does.',
    }),
    alpha: real({ default: 0.25, min: 0, max: 1, help: 'Weight of foreground in the focal loss that is shown beside.' }),
    gamma: real({ default: 2, min: 0, max: 10, help: 'Exponent of the focal loss that is shown beside.' }),
    save: text({ default: '', writes: 'onnx', help: 'Writes a copy of the model with the optimal first biases.' }),
    perClass: flag({ default: false, help: 'Writes a bias of its own share for every class, an extension of ours.' }),
    confidenceLevel: real({ default: 0.95, min: 0.5, max: 0.999, help: 'Level of the intervals.' }),
  },
  study: (tools, chosen, job) => denseRun(tools, chosen, job),
  report(found, chosen, { classes }) {
    const name = (c: number): string => classes[c] ?? String(c + 1);
    return {
      headline: denseHeadline(found),
      intervals: denseIntervals(found, chosen.confidenceLevel),
      cards: denseCards(found, chosen, name),
      guide: denseGuide(found),
      notes: denseNotes(found, name),
    };
  },
});
