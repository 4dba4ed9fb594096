import type { Device } from '../base/request.ts';

export interface VectorsRequest {
  readonly count: number;
  /** 0 for as many as vectors. */
  readonly dim: number;
  /** Largest |cosine|; below 0 for 1.25 times the Welch bound. */
  readonly alpha: number;
  /** Of the search at most. */
  readonly steps: number;
  readonly seed: number;
  readonly device: Device;
  readonly out: string;
}
export interface VectorsResult {
  readonly out: string;
  readonly count: number;
  readonly dim: number;
  readonly largest: number;
  /** Welch bound. */
  readonly bound: number;
  readonly goal: number;
  readonly reached: boolean;
  readonly steps: number;
}
