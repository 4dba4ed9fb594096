interface Step {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly media: { readonly image: string; readonly altText: string };
  readonly completionEvents: readonly string[];
}
interface Walkthrough {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly steps: readonly Step[];
}

/** Contexts that tell how far the workspace has come. */
export const milestones = {
  sample: 'assay.hasSuite',
  trained: 'assay.hasTrained',
  diagnosed: 'assay.hasDiagnosed',
  looked: 'assay.hasLooked',
  gated: 'assay.hasGated',
} as const;
export type Milestone = keyof typeof milestones;

const image = (name: string, altText: string): Step['media'] => ({ image: `media/walkthrough/${name}.png`, altText });

export const walkthroughs: readonly Walkthrough[] = [
  {
    id: 'start',
    title: 'Diagnose a Model with Assay',
    description: 'From a sample workspace to a trained, diagnosed and gated model in five steps. No Python, no account.',
    steps: [
      {
        id: 'sample',
        title: 'Open the sample workspace',
        description:
          'Handwritten digits, a training recipe and an assay.json that names them. It is copied into a folder that you choose.\n[Open Sample Workspace](command:assay.openSample)',
        media: image(
          'sample',
          'The sample workspace in the editor: assay.json with a Run lens over its model, its dataset and its checks.',
        ),
        completionEvents: [`onContext:${milestones.sample}`],
      },
      {
        id: 'train',
        title: 'Train the sample model',
        description:
          'Choose **digits.train.json**, then where the model goes. Loss and accuracy are drawn while it trains; it takes some seconds.\n[Train a Model](command:assay.train)',
        media: image('train', 'A report of a finished training: accuracy, loss and the curve of every step.'),
        completionEvents: [`onContext:${milestones.trained}`],
      },
      {
        id: 'diagnose',
        title: 'Diagnose it',
        description:
          'A reliability diagram asks: when the model says 80 %, is it right 80 % of the time? Choose **digits** and **test**.\n[Reliability Diagram](command:assay.reliability)\nEvery other diagnostic is in the palette, under Assay.',
        media: image('diagnose', 'A reliability diagram with its calibration error and interval, beside the code.'),
        completionEvents: [`onContext:${milestones.diagnosed}`],
      },
      {
        id: 'saliency',
        title: 'Look at what it looks at',
        description:
          'Saliency shades each pixel of a sample by its part in the prediction. Change method and class above the picture.\n[Open Saliency](command:assay.saliency)',
        media: image('saliency', 'A digit with a heat map over it, and the chances of each class beside it.'),
        completionEvents: [`onContext:${milestones.looked}`],
      },
      {
        id: 'gate',
        title: 'Add a gate',
        description:
          'A gate holds a number of a run to a limit, here and in CI: choose the run, the number and the limit. It becomes a check of assay.json.\n[Add a Gate](command:assay.addGate)\n[Run All Checks](command:assay.runSuite)',
        media: image('gate', 'A check of assay.json with its limit, and the lens that says whether it holds.'),
        completionEvents: [`onContext:${milestones.gated}`],
      },
    ],
  },
];
