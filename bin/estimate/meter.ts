/** What steps request from the ports, in the units that AWS bills. */

export const NO_USAGE = {
  mediaPuts: 0,
  /** GET and HEAD. */
  mediaGets: 0,
  mediaLists: 0,
  readUnits: 0,
  writeUnits: 0,
  /** Of items that did not exist before. */
  newItemBytes: 0,
  standardRequests: 0,
  fifoRequests: 0,
  /** Of any kind: each is a round trip. */
  calls: 0,
};

export type Usage = Readonly<Record<keyof typeof NO_USAGE, number>>;

const NAMES = Object.keys(NO_USAGE) as (keyof Usage)[];

export const addUsage = (...all: readonly Usage[]): Usage =>
  combine((name) => all.reduce((sum, one) => sum + one[name], 0));

export const timesUsage = (usage: Usage, factor: number): Usage =>
  combine((name) => usage[name] * factor);

const combine = (value: (name: keyof Usage) => number): Usage =>
  Object.fromEntries(NAMES.map((name) => [name, value(name)])) as Usage;

export class Meter {
  #usage: Usage = NO_USAGE;

  get usage(): Usage {
    return this.#usage;
  }

  add(usage: Partial<Usage>): void {
    this.#usage = addUsage(this.#usage, { ...NO_USAGE, ...usage });
  }

  reset(): void {
    this.#usage = NO_USAGE;
  }
}

/** The work of one function or worker: what it requested, in how many runs, with how much CPU time. */
export type Work = Readonly<{ usage: Usage; runs: number; cpuMs: number }>;

/** The average of one run. */
export const perRun = ({ usage, runs, cpuMs }: Work): Work =>
  runs === 0
    ? { usage: NO_USAGE, runs: 0, cpuMs: 0 }
    : { usage: timesUsage(usage, 1 / runs), runs: 1, cpuMs: cpuMs / runs };
