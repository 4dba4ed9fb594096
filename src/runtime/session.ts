import type { Job } from '../base/job.ts';
import type { Device } from '../base/request.ts';
import type { DType, Tensor } from '../base/tensor.ts';

/** An execution provider that really runs nodes. */
export type Provider = Exclude<Device, 'auto'>;

export interface Port {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly (number | string)[];
}

/** A compiled graph, ready to run. The port that evidence, training and tools speak to; one adapter implements it. */
export interface Session {
  readonly provider: Provider;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** Runs once; `wanted` names the outputs to return (all where absent). Throws `runtime/run`. */
  run(feeds: Readonly<Record<string, Tensor>>, wanted?: readonly string[]): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

export interface SessionOptions {
  readonly device: Device;
  /** What the user calls it: a file name, used in faults. */
  readonly name: string;
  /** Folder of external data, if any. */
  readonly folder?: string;
  /** Feeds to try devices with under `auto`: chosen is the fastest whose outputs agree with the CPU. */
  readonly probe?: Readonly<Record<string, Tensor>>;
  readonly threads?: number;
  /** ONNX Runtime's graph optimisation; 'off' for probing shapes of intermediate values. */
  readonly optimize?: 'off' | 'all';
  /** For a few runs at most: weights are not packed for faster ones. So it is with `optimize` 'off' unless false is said. */
  readonly brief?: boolean;
}

/** What was asked, what runs, and why: goes into the report as it is. */
export interface DeviceChoice {
  readonly requested: Device;
  readonly actual: Provider;
  readonly reason: string;
  /** One entry per provider that was tried. */
  readonly tried: readonly {
    readonly provider: Provider;
    readonly ok: boolean;
    readonly reason: string;
    readonly ms?: number;
    readonly difference?: number;
  }[];
}

export interface Runtime {
  /** e.g. `onnxruntime-node 1.30.0` */
  readonly version: string;
  open(
    model: Uint8Array | string,
    options: SessionOptions,
    job?: Pick<Job, 'note'>,
  ): Promise<{ readonly session: Session; readonly choice: DeviceChoice }>;
  /**
   * Milliseconds of each node on the CPU, by its name, in each of the timed runs after one to warm up. The graph runs as it is written,
   * not as it would be optimised. Throws `runtime/session` and `runtime/run`.
   */
  times(
    model: Uint8Array,
    options: Pick<SessionOptions, 'name' | 'folder'>,
    feeds: Readonly<Record<string, Tensor>>,
  ): Promise<ReadonlyMap<string, readonly number[]>>;
  /** Providers that this build and machine could offer, with the reason for each that cannot. */
  /** `missing`: what else would have to be installed, one sentence each. */
  devices(): Promise<
    readonly { readonly provider: Provider; readonly ok: boolean; readonly reason: string; readonly missing?: readonly string[] }[]
  >;
  /** Channels in a block of the CPU's own convolution layout on this machine; 0 where it has none (autodiff/blocked.ts). */
  block(): Promise<number>;
}
