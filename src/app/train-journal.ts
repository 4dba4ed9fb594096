import type { Tensor } from '../base/tensor.ts';
import type { Kept } from '../training/define-run.ts';
import type { AppJob, Ports } from './ports.ts';
import { arraysOf, below, checkpointBytes, type Identity, numbers, openCheckpoint, snapshotOf, under, unfit } from './train-checkpoint.ts';
import { fresh, type Progress, type Snapshot } from './train-progress.ts';

/** A run of a regime as it stands: the epoch that it last went towards, and whether it will go on. */
interface Standing {
  readonly snapshot: Snapshot;
  readonly until: number;
  readonly ended: boolean;
  /** Along paths through a larger network: the report shows the rows that it drew. */
  readonly search?: true;
}
/**
 * What a regime has come to: its runs, and what it made itself, by name. A regime is the same programme whenever it is run, so one that
 * was interrupted is run again and given what is here in the place of doing it once more.
 */
export interface Journal {
  readonly stages: Map<string, Standing>;
  readonly made: Map<string, Kept>;
}
export const blankJournal = (): Journal => ({ stages: new Map(), made: new Map() });

interface Meta {
  readonly stages: readonly {
    readonly name: string;
    readonly until: number;
    readonly ended: boolean;
    readonly search?: true;
    readonly progress: Progress;
  }[];
  readonly made: readonly string[];
}

/** Curves are kept of the runs that go on and of the last one, which the report shows. */
const lean = ({ snapshot: { progress, state, host }, search }: Standing): Snapshot => ({
  ...fresh(state),
  progress,
  ...(search && host ? { host } : {}),
});
export const enter = ({ stages }: Journal, name: string, standing: Standing): void => {
  if (standing.ended)
    for (const [other, known] of stages) if (known.ended && other !== name) stages.set(other, { ...known, snapshot: lean(known) });
  stages.set(name, standing);
};

/** Arrays `stage/I/…` of the snapshots and `made/I/…`, in the order of their names in `meta`. */
const writeJournal = (ports: Pick<Ports, 'write'>, path: string, { stages, made }: Journal, identity: Identity): Promise<void> => {
  const meta: Meta = {
    stages: Array.from(stages, ([name, { snapshot, ...rest }]) => ({ name, ...rest, progress: snapshot.progress })),
    made: [...made.keys()],
  };
  const arrays = [
    ...Array.from(stages.values()).flatMap(({ snapshot }, i) => under(`stage/${i}`, Object.fromEntries(arraysOf(snapshot)))),
    ...Array.from(made.values()).flatMap((kept, i) =>
      Object.entries(kept).map(([key, data]): [string, Tensor] => [`made/${i}/${key}`, numbers(data)]),
    ),
  ];
  return ports.write(path, checkpointBytes(arrays, identity, meta));
};

/** What an interrupted regime left. */
export const readJournal = async (
  ports: Pick<Ports, 'source'>,
  path: string,
  identity: Identity,
  force: boolean,
  { signal }: Pick<AppJob, 'signal'>,
): Promise<Journal> => {
  const { arrays, meta } = await openCheckpoint<Meta>(ports, path, identity, force, signal);
  if (!meta.stages || !meta.made) throw unfit(path, 'it is that of a run without a regime');
  return {
    stages: new Map(
      meta.stages.map(({ name, progress, ...rest }, i) => [name, { ...rest, snapshot: snapshotOf(below(`stage/${i}`, arrays), progress) }]),
    ),
    made: new Map(
      meta.made.map((name, i) => [
        name,
        Object.fromEntries(Object.entries(below(`made/${i}`, arrays)).map(([key, { data }]) => [key, data as Float64Array])),
      ]),
    ),
  };
};

const saveSeconds = 1;

/** How a regime goes on: its journal kept on disk, and what it is asked meanwhile. */
export interface Course {
  readonly journal: Journal;
  /** Of the file, for faults. */
  readonly path: string;
  save(): Promise<void>;
  /** Saves where the last time is a while ago. */
  keep(): Promise<void>;
  /** Whether it was asked to end and keep what it has reached. */
  ending(): boolean;
}
export const courseOf = (
  ports: Pick<Ports, 'write'>,
  path: string,
  journal: Journal,
  identity: Identity,
  job: Pick<AppJob, 'steer'>,
): Course => {
  let saved = Number.NEGATIVE_INFINITY;
  let asked = false;
  const save = async (): Promise<void> => {
    await writeJournal(ports, path, journal, identity);
    saved = performance.now();
  };
  return {
    journal,
    path,
    save,
    async keep() {
      if (performance.now() - saved >= 1000 * saveSeconds) await save();
    },
    ending() {
      asked ||= job.steer?.() === 'stop';
      return asked;
    },
  };
};

/** Of a regime that nobody resumes. */
export const unkept = (): Course => ({
  journal: blankJournal(),
  path: '',
  save: async () => {},
  keep: async () => {},
  ending: () => false,
});
