/** Why an ffmpeg ended, in one line, from what it wrote on standard error. Pure. */

const MAX_LINES = 8;
const MAX_LINE_CHARACTERS = 300;

/** The last lines of a text that comes in pieces; never more of it than a page. */
export class LastLines {
  readonly #lines: string[] = [];
  #rest = '';

  /** Returns the lines that are complete now. Those that `isOther` takes are not kept. */
  add(text: string, isOther: (line: string) => boolean = () => false): string[] {
    const lines = (this.#rest + text).split(/[\r\n]+/);
    this.#rest = (lines.pop() ?? '').slice(0, MAX_LINE_CHARACTERS);
    const complete = lines.filter((line) => line.trim() !== '' && !isOther(line));
    for (const line of complete) this.#lines.push(line.slice(0, MAX_LINE_CHARACTERS));
    this.#lines.splice(0, this.#lines.length - MAX_LINES);
    return complete;
  }

  get all(): string[] {
    return this.#rest.trim() === '' ? [...this.#lines] : [...this.#lines, this.#rest];
  }
}

type Rule = readonly [pattern: RegExp, reason: (match: RegExpMatchArray) => string];

/** The cause stands above its consequences: of several lines that match, the first rule counts. */
const RULES: readonly Rule[] = [
  [/Failed to resolve hostname ([^\s:]+)/, ([, host]) => `no such host: ${host}`],
  [
    /(?:failed:|Server returned|HTTP error|Server error:) ?([45]\d\d\b[^()]*)/,
    ([, answer]) => `it refused: ${answer?.trim()}`,
  ],
  [/Connection refused/, () => 'connection refused'],
  [/(?:Connection|Operation) timed out/, () => 'the connection timed out'],
  [/No route to host|Network is unreachable/, ([text]) => `${text.toLowerCase()}`],
  [/Connection reset by peer|Broken pipe/, () => 'the connection was reset'],
  [/Address already in use/, () => 'another program uses this address'],
  [/Protocol not found/, () => 'this ffmpeg does not know the protocol'],
  [/Invalid data found/, () => 'what it sends is not media that ffmpeg can read'],
];

/** Reasons that waiting does not change: wrong use, not a source that is away. */
const FINAL =
  /refused: 40[13]|does not know the protocol|Option .* not found|Unrecognized option|Permission denied/;

export const isFinalReason = (reason: string): boolean => FINAL.test(reason);

/** `otherwise`: where ffmpeg wrote nothing. Credentials in addresses are left out. */
export function reasonFromLines(lines: readonly string[], otherwise: string): string {
  for (const [pattern, reason] of RULES) {
    for (const line of lines) {
      const match = line.match(pattern);
      if (match) return withoutCredentials(reason(match));
    }
  }
  const last = lines.at(-1)?.replace(/^(\[[^\]]*\] ?)+/, '');
  return withoutCredentials(last || otherwise);
}

/** An address, or a text with addresses, that may be shown. */
export const withoutCredentials = (text: string): string => text.replace(/(:\/\/)[^\s/]*@/g, '$1');
