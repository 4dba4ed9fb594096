/** Activation only registers: what reads files or asks VS Code is done once that has returned. */
export const afterActivation = (work: () => unknown): void => {
  setImmediate(work);
};
