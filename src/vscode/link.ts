/** The path of `vscode://PUBLISHER.NAME/card?run=RUN&card=REPORT:CARD`, which opens a card of a kept run; without a card, the run. */
const path = '/card';

export const cardQuery = (run: string, focus: string): { readonly path: string; readonly query: string } => ({
  path,
  query: new URLSearchParams({ run, card: focus }).toString(),
});

export const runQuery = (run: string): { readonly path: string; readonly query: string } => ({
  path,
  query: new URLSearchParams({ run }).toString(),
});

/** What a link asks for; undefined where it asks for nothing known. */
export const targetOfLink = (link: {
  readonly path: string;
  readonly query: string;
}): { readonly runs: readonly [string]; readonly focus?: string } | undefined => {
  const query = new URLSearchParams(link.query);
  const run = query.get('run');
  const focus = query.get('card');
  if (link.path !== path || run === null || run === '') return undefined;
  return { runs: [run], ...(focus === null || focus === '' ? {} : { focus }) };
};
