/** What the probe is asked to call, and what came of it: files of the workspace. */
export const [askFile, answerFile] = ['probe-ask.json', 'probe-answer.json'];
/** `elsewhere:/PATH` shows /PATH of the disk. */
export const scheme = 'elsewhere';

export interface Ask {
  readonly tool: string;
  readonly input: object;
}
export interface Answer {
  readonly text?: string;
  readonly error?: string;
}
