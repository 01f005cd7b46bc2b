/**
 * What the file names of pushed segments say: which of their numbers counts, and what tells the variants
 * of one stream apart. No name tells it alone (`seg-7-v1-a1.ts`, `5_1080.ts`); compared with the
 * names before it, the counter is the number that grows as the segments do. Pure.
 */

export type NamedNumber = Readonly<{ name: string; number: number }>;

/** `#` stands for each run of digits: files of one encoder have one shape. */
export const shapeOf = (name: string): string => name.replace(/\d+/g, '#');

/** Whether two names are made alike: they differ in numbers alone. */
export const areAlike = (one: string, other: string): boolean => shapeOf(one) === shapeOf(other);

/** One with a letter: `.00042` is a number. */
const stemOf = (name: string): string => name.replace(/\.(?=[^./]*[A-Za-z])[A-Za-z0-9]+$/, '');

const YEAR = '(?:19|20)\\d\\d';
const MONTH = '(?:0[1-9]|1[0-2])';
const DAY = '(?:0[1-9]|[12]\\d|3[01])';
const HOUR = '(?:[01]\\d|2[0-3])';
const SIXTY = '[0-5]\\d';
const TIME = `${HOUR}${SIXTY}${SIXTY}\\d{0,9}`;
const FRACTION = '(?:[.,](?:\\d{3}|\\d{6})(?!\\d))?';
/** Behind a hyphen it would be a counter. */
const ZONE = '(?:Z|\\+\\d\\d:?\\d\\d)?';

/** Dates, times of day and Unix times: they grow by as much as the clock does, not by one. */
const CLOCKS = new RegExp(
  [
    `(?<!\\d)${YEAR}${MONTH}${DAY}(?:[-_T./ ]?${TIME}${FRACTION})?${ZONE}(?!\\d)`,
    `(?<!\\d)${YEAR}[-_./]${MONTH}[-_./]${DAY}(?:[-_T./ ]${HOUR}[-_:.h/]?${SIXTY}[-_:.m/]?${SIXTY}${FRACTION}s?)?${ZONE}(?!\\d)`,
    `(?<!\\d)${HOUR}[-_:.h/]${SIXTY}[-_:.m/]${SIXTY}(?!\\d)`,
    '(?<!\\d)(?:1[2-9]|2[01])\\d{8}(?:\\d{3}|\\d{6}|\\d{9})?(?!\\d)',
  ].join('|'),
  'g',
);

/** UUIDs and digests: their digits mean nothing. */
const HASHES =
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<![0-9a-z])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{16,}(?![0-9a-z])/gi;
const VERSIONS = /(?<![A-Za-z])v\d+(?:\.\d+)+/gi;

const blank = (text: string, pattern: RegExp): string =>
  text.replace(pattern, (match) => '_'.repeat(match.length));

/** `mayCount`: no part of a date, time or hash. */
type Field = Readonly<{ text: string; value: number; mayCount: boolean }>;

function fieldsOf(name: string): Field[] {
  const stem = stemOf(name);
  const counting = [CLOCKS, HASHES].reduce(blank, stem);
  return Array.from(stem.matchAll(/\d+/g), (match) => ({
    text: match[0],
    value: Number(match[0]),
    mayCount: counting[match.index] !== '_',
  }));
}

/** Heights and widths of pictures. */
const PICTURE_SIZES: ReadonlySet<number> = new Set(
  [144, 180, 240, 270, 288, 320, 360, 432, 480, 540, 576, 640, 720, 768, 854, 960].concat([
    1080, 1280, 1440, 1920, 2160, 2560, 3840, 4320,
  ]),
);
/** A bit rate, size or duration rather than a count. */
const LARGE = 100_000;
/** Leaves room to count on from there. */
const MAX_NUMBER = 10 ** 15;
/** `v1-a1`, `h264`, `mp4`: names of tracks and codecs. */
const TRACKS = /^(?:[asv]|[hx]|mp|av|vp|aac|ac)$/i;

/**
 * The number that a name most likely counts by, when no other name is known: `live-00012.m4s` is 12,
 * `segment12_1080p30.ts` too. undefined where nothing counts, dates and hashes among them.
 */
export function segmentNumberOfName(name: string): number | undefined {
  const stem = [CLOCKS, HASHES, VERSIONS].reduce(blank, stemOf(name));
  const words = stem.split(/[^A-Za-z0-9]+/);
  const bare = words.filter((word) => /^\d+$/.test(word));
  const labelled = words.flatMap((word) => {
    const [, label = '', digits] = word.match(/^([A-Za-z]+)(\d+)$/) ?? [];
    return digits === undefined || TRACKS.test(label) ? [] : [digits];
  });
  const small = bare.filter((text) => Number(text) < LARGE && !PICTURE_SIZES.has(Number(text)));
  const padded = small.filter((text) => /^0\d/.test(text));
  const any = words.flatMap((word) => word.match(/\d+/g) ?? []);
  const found = [padded, small, labelled, bare, any]
    .map((candidates) => candidates.at(-1))
    .find((candidate) => candidate !== undefined);
  const number = Number(found ?? Number.NaN);
  return number <= MAX_NUMBER ? number : undefined;
}

/** How a number was found. */
export type Numbering =
  /** By a counter that all names so far agree on. */
  | Readonly<{ basis: 'counter'; number: number }>
  /** By few names or by one alone. */
  | Readonly<{ basis: 'guess'; number: number }>
  /** Nothing in the name counts: it takes the next number. */
  | Readonly<{ basis: 'order' }>;

/** So many names that agree prove a counter. */
const PROOF_NAMES = 3;

/** Two names of a counter are no further apart: files that an encoder uploads at once, or loses. */
const MAX_STEP = 16;

/**
 * The number of a file's name after the names before it, of which at least one is known. The counter
 * is the run of digits that differs from the segment's number by the same in all of them; so numbers
 * go on from the first, whatever it was taken for.
 * `listed`: by their place in the encoder's playlist, which knows best what counts.
 */
export function numberByName(
  name: string,
  known: readonly NamedNumber[],
  listed: readonly NamedNumber[] = [],
): Numbering {
  const shape = shapeOf(name);
  const alike = known.filter((one) => shapeOf(one.name) === shape);
  const [reference] = alike.slice(-1);
  if (!reference) return { basis: 'order' };
  const fields = fieldsOf(name);
  const before = fieldsOf(reference.name);
  const places = listed.filter((one) => shapeOf(one.name) === shape);
  const counters = countersOf(alike, places);
  const steps = counters.map((index) => ({
    step: (fields[index]?.value ?? Number.NaN) - (before[index]?.value ?? Number.NaN),
    mayCount: fields[index]?.mayCount ?? false,
  }));
  if (alike.length === 1 && places.length < 2) {
    const [first] = steps
      .filter(({ step, mayCount }) => mayCount && step !== 0 && Math.abs(step) <= MAX_STEP)
      .sort((a, b) => Math.abs(a.step) - Math.abs(b.step) || b.step - a.step);
    return numbered('guess', reference.number + (first?.step ?? Number.NaN));
  }
  const step = steps.find((one) => one.step !== 0)?.step ?? Number.NaN;
  const basis = alike.length >= PROOF_NAMES ? 'counter' : 'guess';
  return numbered(basis, reference.number + step);
}

const numbered = (basis: 'counter' | 'guess', number: number): Numbering =>
  number >= 0 && number <= MAX_NUMBER ? { basis, number } : { basis: 'order' };

/** Whether the places of names in the encoder's playlist show that none of their numbers counts by one. */
export function disproves(listed: readonly NamedNumber[], known: readonly NamedNumber[]): boolean {
  const shape = shapeOf(listed.at(-1)?.name ?? '');
  const [alike = [], places = []] = [known, listed].map((names) =>
    names.filter((one) => shapeOf(one.name) === shape),
  );
  return countersOf(alike, []).length > 0 && countersOf(alike, places).length === 0;
}

/** Indices of the runs of digits that differ from the number by the same in all names of one shape. */
function countersOf(known: readonly NamedNumber[], listed: readonly NamedNumber[]): number[] {
  const lists = [known, listed].map((names) =>
    names.map(({ name, number }) => ({ fields: fieldsOf(name), number })),
  );
  const count = lists[0]?.[0]?.fields.length ?? 0;
  return Array.from({ length: count }, (_, index) => index).filter((index) =>
    lists.every((names) => {
      const ahead = names.map(({ fields, number }) => (fields[index]?.value ?? 0) - number);
      return ahead.every((one) => Number.isSafeInteger(one) && one === ahead[0]);
    }),
  );
}

/**
 * Numbers of a playlist's lines. One that is not known follows the known line before it by its place;
 * lines before the first known one count back from it. `next`: for lines of which none is known;
 * undefined before anything has come, when the places themselves are the numbers.
 */
export function numbersByPlace(
  files: readonly Readonly<{ position: number }>[],
  known: readonly (number | undefined)[],
  next: number | undefined,
): (number | undefined)[] {
  const taken = new Set(known);
  const first = known.findIndex((number) => number !== undefined);
  const base = files[0]?.position ?? 0;
  let ahead =
    first < 0
      ? next === undefined
        ? 0
        : next - base
      : (known[first] ?? 0) - (files[first]?.position ?? 0);
  return files.map(({ position }, index) => {
    const number = known[index];
    if (number !== undefined) {
      ahead = number - position;
      return number;
    }
    const placed = position + ahead;
    if (placed < 0 || taken.has(placed)) return undefined;
    taken.add(placed);
    return placed;
  });
}

/** What the names of a variant have in common, against those of the variant that is kept. */
export type VariantPattern = Readonly<{
  shape: string;
  /** Index and text of each run of digits that tells it apart. */
  fields: readonly (readonly [index: number, text: string])[];
}>;

/** undefined if the name is a hash, which tells nothing of the next. */
export function variantPattern(name: string, kept: string): VariantPattern | undefined {
  if (blank(name, HASHES) !== name) return undefined;
  const shape = shapeOf(name);
  if (shape !== shapeOf(kept)) return { shape, fields: [] };
  const others = fieldsOf(kept);
  const differing = [...fieldsOf(name).entries()].filter(
    ([index, { text }]) => text !== others[index]?.text,
  );
  const timeless = differing.filter(([, { mayCount }]) => mayCount);
  const telling = timeless.length > 0 ? timeless : differing;
  return { shape, fields: telling.map(([index, { text }]) => [index, text] as const) };
}

/** Whether two names may be of one variant: they differ in one counter at most, beside dates. */
export function mayBeOfOneVariant(name: string, other: string): boolean {
  const pattern = variantPattern(name, other);
  return !pattern || (areAlike(name, other) && pattern.fields.length <= 1);
}

/**
 * The patterns with one more. What two names of a variant have in common tells it, unless the kept name
 * has it too: the first one alone may have been compared with a file of another number.
 */
export function withVariantPattern(
  patterns: readonly VariantPattern[],
  pattern: VariantPattern,
  kept: string,
): readonly VariantPattern[] {
  const isIn = (fields: VariantPattern['fields'], [index, text]: readonly [number, string]) =>
    fields.some(([at, other]) => at === index && other === text);
  const common = patterns
    .filter(({ shape }) => shape === pattern.shape)
    .map(({ shape, fields }) => ({
      shape,
      fields: fields.filter((field) => isIn(pattern.fields, field)),
    }))
    .find((one) => one.fields.length > 0 && !matchesVariant(kept, [one]));
  return [...patterns, common ?? pattern];
}

export const matchesVariant = (name: string, patterns: readonly VariantPattern[]): boolean => {
  const fields = fieldsOf(name);
  return patterns.some(
    (pattern) =>
      pattern.shape === shapeOf(name) &&
      pattern.fields.every(([index, text]) => fields[index]?.text === text),
  );
};

const folderOf = (name: string): string => name.slice(0, name.lastIndexOf('/') + 1);

/**
 * Which of the candidates belongs to a file: of init segments or playlists that with the same folder,
 * then the one whose words and numbers are found nearest to the start of the file's name, then the last.
 */
export function closestName(name: string, candidates: readonly string[]): string | undefined {
  const words = wordsOf(name);
  const rated = candidates.map((candidate, index) => {
    const found = wordsOf(candidate).filter((word) => words.includes(word));
    const score = found.reduce((sum, word) => sum + 1 - words.indexOf(word) / 100, 0);
    return { candidate, index, score: score + (folderOf(candidate) === folderOf(name) ? 100 : 0) };
  });
  return rated.sort((a, b) => b.score - a.score || b.index - a.index)[0]?.candidate;
}

const wordsOf = (name: string): string[] => stemOf(name).match(/\d+|[A-Za-z]+/g) ?? [];

/**
 * Of the known names the one of the same file. A playlist may leave out the folders that its files are pushed
 * into, as ffmpeg does for addresses.
 */
export const sameFile = <Named extends Readonly<{ name: string }>>(
  name: string,
  known: readonly Named[],
): Named | undefined =>
  known.find((one) => one.name === name) ??
  known.find((one) => one.name.endsWith(`/${name}`) || name.endsWith(`/${one.name}`));
