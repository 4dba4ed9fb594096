import { choice, flag, int, type Option, real, text } from '../base/option.ts';
import { architectures } from './architectures/index.ts';
import { batchSchedules } from './batch-schedules/index.ts';
import { biasInits } from './bias-inits/index.ts';
import { heads } from './heads/index.ts';
import { initialisations } from './initialise.ts';
import { lossScalings } from './loss-scalings/index.ts';
import { losses } from './losses/index.ts';
import { monitors } from './monitors/index.ts';
import { optimizers } from './optimizers/index.ts';
import type { Shape } from './recipe-shape.ts';
import { regimes } from './regimes/index.ts';
import { regularizers } from './regularizers/index.ts';
import { samplers } from './samplers/index.ts';
import { schedules } from './schedules/index.ts';
import { targets } from './targets/index.ts';

const of = (option: Option): Shape => ({ kind: 'option', option });
const string = (help: string): Shape => of(text({ default: '', help }));
const numbers = (help: string): Shape => ({ kind: 'list', help, of: of(real({ default: 0, min: -1e30, max: 1e30, help })) });

const dataset: Shape = {
  kind: 'either',
  help: 'A data file, relative to this one; or an object that says how to read it.',
  of: [
    string('The data file, relative to this one.'),
    {
      kind: 'object',
      help: 'A data file and how to read it.',
      keys: {
        path: string('The data file, relative to this one.'),
        x: string('Array, column or file of the inputs.'),
        y: string('Array, column or file of the labels.'),
        labels: string('A separate label file (IDX).'),
        split: string('train, test, a fraction (0.2 or 0.2@SEED), COLUMN=VALUE, or @ARRAY of row indices stored in the file.'),
        preprocess: {
          kind: 'object',
          help: 'How stored values become inputs.',
          keys: {
            scale: of(real({ default: 1, min: -1e30, max: 1e30, help: 'Multiplies the inputs.' })),
            mean: numbers('Subtracted per channel after scaling.'),
            std: numbers('Divides per channel.'),
            layout: of(choice({ default: 'nchw', of: ['nchw', 'nhwc', 'flat'], help: 'Layout of stored images.' })),
            resize: string('HxW, bilinear.'),
            tokenizer: string('tokenizer.json or a vocabulary, for a column of text; relative to this file.'),
          },
          optional: ['scale', 'mean', 'std', 'layout', 'resize', 'tokenizer'],
        },
      },
      required: ['path'],
      optional: ['x', 'y', 'labels', 'split'],
    },
  ],
};

const count = (help: string): Shape => of(int({ default: 1, min: 1, max: 1e9, help }));
const decay = real({ default: 0, min: 0, max: 1e6, help: "In place of the optimizer's own decay." });

/** Every key of a recipe file: the one definition behind reading, JSON Schema and completion. */
export const recipeKeys: Shape & { readonly kind: 'object' } = {
  kind: 'object',
  help: 'A training run.',
  keys: {
    $schema: string('The JSON Schema of recipes, for editors.'),
    model: string('An ONNX model to train further, relative to this file.'),
    arch: {
      kind: 'part',
      help: 'A new model, in place of `model`.',
      of: architectures,
      more: { input: { kind: 'list', help: 'Shape of one row, e.g. [1, 8, 8]; that of the data where absent.', of: count('Size.') } },
    },
    data: {
      kind: 'object',
      help: 'What to train on. `test` is never seen before the end.',
      keys: {
        train: dataset,
        val: dataset,
        test: dataset,
        labelKey: string('Array or column of the labels in all of them.'),
        domainKey: string(
          'Array or column of the domain that each training row comes from; of images in folders of folders a level, such as folder_1.',
        ),
        bagKey: string(
          'Array or column by which rows are gathered into bags, for multiple-instance learning: rows with equal values are instances of one bag.',
        ),
        indexKey: string('Array or column of numbers that name the training rows; their places where absent.'),
      },
      required: ['train'],
      optional: ['labelKey', 'domainKey', 'indexKey', 'bagKey'],
    },
    split: {
      kind: 'object',
      help: 'How rows of `train` are held out for validation where there is no `val`.',
      keys: {
        val: of(real({ default: 0.1, min: 0, max: 0.9, help: 'Share held out; 0 for none.' })),
        seed: of(int({ default: 0, min: 0, max: 4294967295, help: 'Seed of the choice.' })),
        stratified: of(flag({ default: true, help: 'Each class gives its share.' })),
      },
    },
    init: of(
      choice({
        default: 'torch-default',
        of: initialisations,
        help: 'First values of the parameters: a `model` keeps its own by default, any other choice draws them anew; zeros are for a linear model or a new head.',
      }),
    ),
    biasInit: { kind: 'part', help: 'First values of the biases of the last layer.', of: biasInits },
    head: { kind: 'part', help: "New last layers, in place of the model's own.", of: heads },
    trainable: {
      kind: 'list',
      help: 'Names of the parameters to train, * and ? allowed; all where absent.',
      of: string('A name or pattern.'),
    },
    statistics: of(
      choice({
        default: 'batch',
        of: ['batch', 'stored'],
        help: "What trained batch normalisations use: the batch's mean and variance, updating the stored ones, or the stored ones as they are.",
      }),
    ),
    loss: {
      kind: 'part',
      help: 'What is minimised.',
      of: losses,
      more: { reduction: of(choice({ default: 'mean', of: ['mean'], help: 'How the losses of the rows of a step become one.' })) },
    },
    lossScaling: { kind: 'part', help: 'Brings the loss to the size of the terms that are added to it.', of: lossScalings },
    regularizers: {
      kind: 'list',
      help: 'Terms added to the loss.',
      of: { kind: 'part', help: 'A term.', of: regularizers },
    },
    targets: { kind: 'part', help: 'What rows are trained towards.', of: targets },
    regime: { kind: 'part', help: 'A programme of several runs, in place of one.', of: regimes },
    optimizer: {
      kind: 'part',
      help: 'How parameters move.',
      of: optimizers,
      more: {
        groups: {
          kind: 'list',
          help: 'Parameters with a rate or decay of their own; the first that matches counts.',
          of: {
            kind: 'object',
            help: 'One group.',
            keys: {
              match: string('Name or pattern of parameters.'),
              lrScale: of(real({ default: 1, min: 0, max: 1e6, help: 'Multiplies the rate.' })),
              weightDecay: of(decay),
            },
            required: ['match'],
            optional: ['weightDecay'],
          },
        },
        decayExclude: {
          kind: 'list',
          help: 'Kinds of parameters without weight decay.',
          of: of(choice({ default: 'bias', of: ['bias', 'norm'], help: 'Biases, or scale and shift of normalisations.' })),
        },
      },
    },
    schedule: {
      kind: 'part',
      help: 'How the rate changes over the run.',
      of: schedules,
      more: { unit: of(choice({ default: 'step', of: ['step', 'epoch', 'sample'], help: 'What the schedule counts.' })) },
    },
    batch: {
      kind: 'either',
      help: 'Rows per step.',
      of: [
        count('Rows per step.'),
        of(choice({ default: 'full', of: ['full'], help: 'All rows in every step.' })),
        {
          kind: 'object',
          help: 'Rows per step.',
          keys: {
            size: {
              kind: 'either',
              help: 'Rows per step.',
              of: [count('Rows per step.'), of(choice({ default: 'full', of: ['full'], help: 'All rows.' }))],
            },
            dropLast: of(flag({ default: false, help: 'Leave out the short batch at the end of an epoch.' })),
            schedule: { kind: 'part', help: 'How the batch changes over the run.', of: batchSchedules },
            accumulate: of(
              int({ default: 1, min: 1, max: 1e6, help: 'Batches whose gradients are averaged before each update; each is a step.' }),
            ),
          },
          required: ['size'],
          optional: ['accumulate'],
        },
      ],
    },
    sampler: { kind: 'part', help: 'Which rows each epoch goes through, and in which order.', of: samplers },
    monitor: {
      kind: 'list',
      help: 'Numbers of every step, shown while it trains; left out, those of the optimizer and of the head, if they have any.',
      of: { kind: 'part', help: 'A number of every step.', of: monitors },
    },
    diagnose: {
      kind: 'list',
      help: 'Ids of diagnostics run on the validation rows at every evaluation, such as calibration-error and confusion.',
      of: string('Id of a diagnostic of predictions.'),
    },
    epochs: count('Passes over the training rows.'),
    steps: count('Updates, in place of `epochs`.'),
    ema: {
      kind: 'object',
      help: 'Validates and saves the running mean of the parameters, in place of the last ones.',
      keys: {
        decay: of(real({ default: 0.999, min: 0, max: 1, help: 'Share of the mean that stays after each update.' })),
      },
    },
    clip: {
      kind: 'object',
      help: 'Bounds the gradient, by its global norm or entry by entry.',
      keys: {
        norm: of(real({ default: 1, min: 1e-12, max: 1e12, help: 'Largest global norm.' })),
        value: of(real({ default: 1, min: 1e-12, max: 1e12, help: 'Largest absolute entry.' })),
      },
      optional: ['norm', 'value'],
    },
    augment: {
      kind: 'object',
      help: 'Random changes of training rows, drawn anew for every row of every step; images are [channels, height, width].',
      keys: {
        shift: of(int({ default: 0, min: 0, max: 1e6, help: 'Largest shift up, down and to the sides, in pixels; what comes in is 0.' })),
        flip: of(
          choice({
            default: 'horizontal',
            of: ['horizontal', 'vertical', 'both'],
            help: 'Mirrors every second row, left to right, top to bottom, or each by itself.',
          }),
        ),
        rotation: of(real({ default: 0, min: 0, max: 180, help: 'Largest angle, in degrees.' })),
        crop: of(real({ default: 1, min: 0.01, max: 1, help: 'Least share of the area that is cut out and stretched over the whole.' })),
        cutout: of(int({ default: 1, min: 1, max: 1e6, help: 'Side of a square that becomes 0, in pixels.' })),
        noise: of(real({ default: 0, min: 0, max: 1e30, help: "Standard deviation of normal noise, in units of the model's input." })),
        mixup: of(
          real({
            default: 0.2,
            min: 0.05,
            max: 4,
            help: 'Mixes each row and its target with another of the batch, by a share from Beta(mixup, mixup).',
          }),
        ),
      },
      optional: ['shift', 'flip', 'rotation', 'crop', 'cutout', 'noise', 'mixup'],
    },
    adversarial: {
      kind: 'object',
      help: 'Trains on the worst inputs that an attack finds near each row, in place of the rows.',
      keys: {
        norm: of(choice({ default: 'linf', of: ['linf', 'l2'], help: 'Which inputs are near: by their largest change, or its length.' })),
        epsilon: of(
          real({ default: 0, min: 0, max: 1e30, help: "Radius, in units of the model's input after preprocessing; 0 trains on the rows." }),
        ),
        step: of(
          real({
            default: 0,
            min: 0,
            max: 1e30,
            help: 'Length of one step of the attack; 0 is the radius for one step, else 2.5·epsilon/steps.',
          }),
        ),
        steps: of(int({ default: 7, min: 1, max: 1000, help: 'Steps of the attack (PGD); 1 is the fast gradient sign method.' })),
        randomStart: of(flag({ default: true, help: 'The attack starts from a point drawn in the ball, not from the row.' })),
        range: {
          kind: 'list',
          help: 'Least and greatest value of an input, e.g. [0, 1]; adversarial inputs stay between them. Absent: no bounds.',
          of: of(real({ default: 0, min: -1e30, max: 1e30, help: 'A bound.' })),
        },
      },
      required: ['epsilon'],
    },
    seed: of(
      int({
        default: 0,
        min: 0,
        max: 4294967295,
        help: "Everything drawn at random follows from it: xoshiro128**, a stream of its own for each use, so draws are PyTorch's in distribution only. A run repeats bit for bit on the CPU with as many threads, elsewhere to rounding.",
      }),
    ),
    evalEvery: of(
      int({
        default: 1,
        min: 1,
        max: 1e6,
        help: 'Epochs between evaluations. Where rows are few, every tenth is enough: calls of the trainer then join epochs.',
      }),
    ),
    earlyStop: {
      kind: 'either',
      help: 'Ends the run when the metric no longer improves, and restores the best parameters.',
      of: [
        of(flag({ default: false, help: 'true for the defaults.' })),
        {
          kind: 'object',
          help: 'When to end.',
          keys: {
            metric: of(choice({ default: 'val_loss', of: ['val_loss', 'val_accuracy'], help: 'What must improve.' })),
            patience: of(int({ default: 10, min: 1, max: 1e6, help: 'Evaluations without improvement.' })),
            minDelta: of(real({ default: 0, min: 0, max: 1e6, help: 'Least change that counts.' })),
            restoreBest: of(flag({ default: true, help: 'End with the best parameters, not the last.' })),
          },
        },
      ],
    },
    checkpoint: {
      kind: 'object',
      help: 'What is kept on disk during the run.',
      keys: { every: of(int({ default: 1, min: 1, max: 1e6, help: 'Evaluations between checkpoints.' })) },
    },
    nonfinite: of(
      choice({
        default: 'stop',
        of: ['stop', 'skip', 'halve-lr'],
        help: 'When loss or gradient is not finite: stop, leave the step out (10 in a row at most), or leave it out and halve the rate.',
      }),
    ),
    precision: of(choice({ default: 'fp32', of: ['fp32'], help: 'Element type of the arithmetic.' })),
    provider: of(
      choice({ default: 'auto', of: ['auto', 'cpu', 'cuda', 'webgpu', 'dml', 'coreml'], help: 'Device, where the command names none.' }),
    ),
  },
  required: ['data', 'loss', 'optimizer'],
  optional: ['$schema', 'model', 'init', 'epochs', 'steps'],
};
