import { Fault } from '../../base/fault.ts';
import { int, real } from '../../base/option.ts';
import { defineRegime, type Programme, type Regime, type StageEnd } from '../define-run.ts';
import { softened } from '../softened.ts';

const recorded = async (programme: Programme, name: string, { state, history }: StageEnd): Promise<void> => {
  const measured = await programme.evaluate(programme.plan, state);
  programme.record(name, {
    train_loss: history.at(-1)?.trainLoss ?? Number.NaN,
    ...(measured ? { validation_loss: measured.loss } : {}),
    ...(measured?.accuracy === undefined ? {} : { validation_accuracy: measured.accuracy }),
  });
};

export const defensiveDistillation: Regime = defineRegime({
  id: 'defensive-distillation',
  source: 'Papernot et al. 2016, arXiv:1511.04508; card 52-fgsm-cw-distillation (arXiv:2404.04245)',
  about:
    'Trains the model as a teacher at a temperature, then anew on what that teacher says at the same temperature; it is used at temperature 1. It hides gradients rather than removing adversarial rows: stronger attacks succeed, so a good FGSM score of it is no evidence of safety. For a teacher in another file use the targets `teacher`.',
  formula: ['teacher: CE(y, softmax(z/T))', 'student: CE(softmax(z_teacher/T), softmax(z/T)), used as softmax(z)'],
  options: {
    temperature: real({ default: 20, min: 0.01, max: 1000, help: 'T: divides the logits while teacher and student train.' }),
    teacherEpochs: int({ default: 0, min: 0, max: 1_000_000, help: "Epochs of the teacher; 0 for the recipe's." }),
  },
  baseline: null,
  async run(programme, { temperature, teacherEpochs }) {
    const { plan, rows, epochs } = programme;
    const refuse = (reason: string): Fault => new Fault('training/regime', { regime: 'defensive-distillation', reason });
    if (plan.soft) throw refuse("makes targets of its own; remove the key 'targets'");
    if (!plan.loss.part.soft || plan.classes === 0)
      throw refuse(`needs a loss that takes shares of classes, such as cross-entropy, not '${plan.loss.part.id}'`);
    const marks = new Float64Array(rows.count * rows.classes);
    for (let i = 0; i < rows.count; i++) marks[i * rows.classes + rows.labels[i]] = 1;
    const teacher = await programme.train({ name: 'teacher', plan, epochs: teacherEpochs || epochs, soft: { shares: marks, temperature } });
    await recorded(programme, 'teacher', teacher);
    if (programme.ending()) {
      programme.note('It ended before the student began, so the teacher is kept.');
      return { state: teacher.state };
    }
    const { data, width } = await programme.values(plan, teacher.state, plan.output, 'train');
    const student = await programme.train({
      name: 'student',
      plan,
      epochs,
      soft: { shares: softened(data, width, temperature), temperature },
    });
    await recorded(programme, 'student', student);
    programme.note(
      `The model is used at temperature 1, where its logits are about ${temperature} times too large: probabilities saturate and gradients of the loss vanish. A good score against gradient attacks such as FGSM is therefore no evidence of safety; run Adversarial Robustness on it and on the model without distillation, whose attacks on the logits and checks for masked gradients tell.`,
    );
    return { state: student.state };
  },
});
