/** Stops what runs here, in order, within a time whatever hangs. */

/** Its parts stop side by side; the next stage begins when all have, or have failed to. */
export type StopStage = Readonly<Record<string, () => unknown>>;

/**
 * Resolves to the names of the parts that had not stopped after `withinMs`: then no further stage was
 * begun. `report` is given what a part throws.
 */
export async function stopParts(
  stages: readonly StopStage[],
  withinMs: number,
  report: (error: unknown, what: string) => void,
): Promise<readonly string[]> {
  const stopping = new Set<string>();
  const stop = async ([name, end]: [string, () => unknown]): Promise<void> => {
    stopping.add(name);
    try {
      await end();
    } catch (error) {
      report(error, `stopping ${name}`);
    }
    stopping.delete(name);
  };
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(() => {
      isOver = true;
      resolve();
    }, withinMs);
  });
  for (const stage of stages) {
    if (isOver) break;
    await Promise.race([Promise.all(Object.entries(stage).map(stop)), time]);
  }
  clearTimeout(timer);
  return [...stopping];
}
