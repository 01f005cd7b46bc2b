/** What is kept of a stream is extended by one request at a time; the others find it done. */

export class StreamTurns {
  readonly #turns = new Map<string, Promise<unknown>>();

  run<T>(uid: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(uid) ?? Promise.resolve()).then(work, work);
    this.#turns.set(uid, turn);
    const leave = () => {
      if (this.#turns.get(uid) === turn) this.#turns.delete(uid);
    };
    turn.then(leave, leave);
    return turn;
  }
}
