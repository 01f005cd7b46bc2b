/** Keeps ECS from ending this task to scale in while it has jobs. */

export type TaskProtectionOptions = Readonly<{
  /** Of the container's agent: ECS_AGENT_URI. */
  agentUrl: string;
  report: (error: unknown, what: string) => void;
  /** A task between two jobs of a busy queue is not idle. */
  idleMs?: number;
}>;

/** A worker that hangs is unprotected after that. */
const PROTECT_MINUTES = 5;
const RENEW_MS = 2 * 60_000;
const IDLE_MS = 5_000;
const CALL_MS = 5_000;

/** Failures are only reported: a task that ECS stops still finishes its jobs after SIGTERM. */
export class TaskProtection {
  readonly #options: TaskProtectionOptions;
  #jobs = 0;
  #isOn = false;
  #renewal: NodeJS.Timeout | undefined;
  #idling: NodeJS.Timeout | undefined;
  /** One call after the other, so that they arrive in order. */
  #calls: Promise<void> = Promise.resolve();

  constructor(options: TaskProtectionOptions) {
    this.#options = options;
  }

  async during<T>(job: () => Promise<T>): Promise<T> {
    this.#jobs += 1;
    this.#turnOn();
    try {
      return await job();
    } finally {
      this.#jobs -= 1;
      if (this.#jobs === 0) this.#turnOffLater();
    }
  }

  /** Sends nothing more; resolves when the last call is answered. */
  async close(): Promise<void> {
    clearInterval(this.#renewal);
    clearTimeout(this.#idling);
    await this.#calls;
  }

  #turnOn(): void {
    clearTimeout(this.#idling);
    if (this.#isOn) return;
    this.#isOn = true;
    this.#send(true);
    this.#renewal = setInterval(() => this.#send(true), RENEW_MS);
  }

  #turnOffLater(): void {
    this.#idling = setTimeout(() => {
      clearInterval(this.#renewal);
      this.#isOn = false;
      this.#send(false);
    }, this.#options.idleMs ?? IDLE_MS);
  }

  #send(enabled: boolean): void {
    const { agentUrl, report } = this.#options;
    this.#calls = this.#calls
      .then(() => putState(agentUrl, enabled))
      .catch((error) => report(error, 'protecting the task'));
  }
}

/** Amazon ECS task scale-in protection endpoint. */
async function putState(agentUrl: string, enabled: boolean): Promise<void> {
  const answer = await fetch(`${agentUrl}/task-protection/v1/state`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ProtectionEnabled: enabled,
      ...(enabled && { ExpiresInMinutes: PROTECT_MINUTES }),
    }),
    signal: AbortSignal.timeout(CALL_MS),
  });
  const text = await answer.text();
  // A refusal may come with 200 and a failure in the body.
  if (!answer.ok || !text.includes('"protection"')) throw new Error(`${answer.status} ${text}`);
}
