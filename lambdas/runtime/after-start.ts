/** Loads large parts of a function when it has begun: beside its first waits for the network. */

/** What is asked for it meanwhile waits for it. */
export const afterStart = <Part>(load: () => Promise<Part>): Promise<Part> =>
  new Promise((resolve, reject) => {
    setImmediate(() => load().then(resolve, reject));
  });
