/** Faults of jobs and their process. */
export const jobFaults = {
  'job/stopped': (_: Record<string, never>): string => 'Stopped on request.',
  'job/crashed': (d: { task: string; how: string; before?: string }): string =>
    `The job process ended unexpectedly (${d.how}) while it ran '${d.task}'${d.before === undefined ? '' : `, as it had before (${d.before})`}; what it had produced is kept. Run it again, on the CPU if a device was in use.`,
  'job/untrusted': (_: Record<string, never>): string => 'Running a model needs a trusted workspace; trust it first.',
  'report/incomparable': (d: { names: readonly string[]; reason: string }): string =>
    `'${d.names[0]}' and '${d.names[1]}' cannot be compared: ${d.reason}; give two runs of one diagnostic.`,
  'report/unreadable': (d: { name: string; reason: string }): string =>
    `'${d.name}' is not a readable report: ${d.reason}. Run the diagnostic again to make a new one.`,
  'run/unknown': (d: { id: string }): string => `There is no run '${d.id}'; it may have been deleted.`,
  'run/unreadable': (d: { path: string; reason: string }): string => `The run in '${d.path}' cannot be read: ${d.reason}.`,
};
