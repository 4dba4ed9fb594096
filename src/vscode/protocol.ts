import type { OptionValue } from '../base/option.ts';
import type { ModelDiff, ModelProfile } from '../report/model-study.ts';
import type { Report } from '../report/report.ts';
import type { Attribution, Live, ModelLayers, Steer, Verdict, WeightFacts } from '../report/tasks.ts';
import type { DataAsk, DataTell } from './data-protocol.ts';
import type { SaliencyForm } from './methods.ts';

/** Messages between the extension and a page. The page says `ready` first; nothing is posted before. Typed arrays cross as such. */
export type ToPage =
  /**
   * The reports of one run (a suite has several), in place of whatever was shown.
   * `checks` are those of a suite, each with the place of its report among `reports`.
   */
  | {
      readonly type: 'reports';
      readonly title: string;
      readonly reports: readonly Report[];
      readonly checks?: readonly Verdict[];
      /** The model that a training saved. */
      readonly out?: string;
    }
  /** Bring a card of the reports into view: `REPORT:CARD` as in report/place.ts. */
  | { readonly type: 'focus'; readonly focus: string }
  | { readonly type: 'progress'; readonly title: string; readonly fraction: number; readonly text: string }
  | { readonly type: 'live'; readonly live: Live }
  /** The curves of another training, to be drawn behind those shown; `own` are those of a training that is over. */
  | { readonly type: 'overlay'; readonly title: string; readonly live: readonly Live[]; readonly own?: readonly Live[] }
  /** `final`: asking again would not help. */
  | { readonly type: 'problem'; readonly sentence: string; readonly final?: true }
  /** The image tab: what may be chosen, what was, and one model or two on the same sample. */
  | {
      readonly type: 'saliency';
      readonly name: string;
      readonly form: SaliencyForm;
      readonly asked: Asked;
      readonly models: readonly Looked[];
    }
  /** The model editor: what is known of the file so far. `measuring` while a run that measures shapes is under way. */
  | { readonly type: 'model'; readonly name: string; readonly facts: ModelLayers; readonly measuring: boolean; readonly trusted: boolean }
  /** How far a profile of the layers is, what it found, or why there is none. */
  | {
      readonly type: 'profile';
      readonly fraction?: number;
      readonly text?: string;
      readonly facts?: ModelProfile;
      readonly problem?: string;
    }
  /** The differences of two model files. */
  | { readonly type: 'diff'; readonly title: string; readonly facts: ModelDiff }
  /** One stored tensor that the model editor asked for, or why it cannot be shown. */
  | { readonly type: 'weights'; readonly name: string; readonly facts?: WeightFacts; readonly problem?: string }
  /** The data editor. */
  | { readonly type: 'data'; readonly tell: DataTell };

/** What is asked of the models of the image tab. Without a target it is the class that each sample is predicted to be of. */
export interface Asked {
  readonly position: number;
  readonly method: string;
  readonly target?: number;
  readonly options: Readonly<Record<string, OptionValue>>;
}
/** One model of the image tab: its attribution, or why there is none; neither, while it is computed. */
export interface Looked {
  readonly name: string;
  readonly attribution?: Attribution;
  readonly problem?: string;
}

export type FromPage =
  | { readonly type: 'ready' }
  | { readonly type: 'data'; readonly ask: DataAsk }
  | { readonly type: 'cancel' }
  | { readonly type: 'steer'; readonly steer: Steer }
  /** Choose a training whose curves are drawn behind those shown. */
  | { readonly type: 'overlay' }
  /** Open the model that the training saved. */
  | { readonly type: 'openModel' }
  /** Keep the first units of the trained model. */
  | { readonly type: 'cut'; readonly units: number }
  /** Run the shown diagnostic again (after a problem, or with the data changed). */
  | { readonly type: 'rerun' }
  /** Save what a card shows; `base64` holds the bytes. */
  | { readonly type: 'export'; readonly name: string; readonly base64: string }
  /** Save a report, or one card of it, as a web page. */
  | { readonly type: 'page'; readonly report: number; readonly card?: number }
  /** Put the address of a card on the clipboard. */
  | { readonly type: 'link'; readonly report: number; readonly card: number }
  /** Compare the run shown with another. */
  | { readonly type: 'compare' }
  /** Open the image tab at this dataset row. */
  | { readonly type: 'sample'; readonly report: number; readonly row: number }
  /** The image tab asks for another attribution. */
  | ({ readonly type: 'attribute' } & Asked)
  /** Choose a second model for the image tab, or put it away. */
  | { readonly type: 'second'; readonly wanted: boolean }
  /** The model editor asks for one stored tensor. */
  | { readonly type: 'weights'; readonly name: string }
  /** Run a diagnostic of the model shown, or write its gradient graph. */
  | { readonly type: 'diagnose' }
  | { readonly type: 'gradient' }
  /** Choose data and time the layers of the model shown on it, or another file to compare it with. */
  | { readonly type: 'profile' }
  | { readonly type: 'difference' }
  /** Open one of the two files compared. */
  | { readonly type: 'side'; readonly side: 0 | 1 };
