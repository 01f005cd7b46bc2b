/** The settings of a stream as an owner chooses them, and what of them was changed. Pure. */

import type { StreamChange } from '../../lib/api/client.ts';
import type { StreamSettings } from '../../lib/api/messages.ts';
import { DEFAULT_LADDER } from '../../lib/domain/ladder.ts';
import { ownName, UNDETERMINED } from '../../lib/domain/languages/language.ts';
import { ANYWHERE, type RegionDefaults } from '../../lib/domain/languages/region-default.ts';
import { NO_CAPTIONS_SHOWN } from '../../lib/domain/stream.ts';
import { formatSpan } from '../shared/format-time.ts';
import { type TextKey, text } from '../texts/text.ts';

/** A value of a `<select>`, and how it reads. */
export type Choice = Readonly<{ value: string; label: string }>;

const UNLIMITED = 'null';
const AS_SENT = '';
const AS_DEPLOYED = '';
const NO_LONGER = '';
const FIRST = '';
const OWN_LADDER = 'own';

const DVR_SECONDS = [1800, 7200, 21_600, 43_200, 86_400] as const;
const IDLE_SECONDS = [10, 60, 300, 1800, 7200] as const;
const TARGET_SECONDS = [1, 2, 4, 6, 10] as const;
const RETENTION_DAYS = [1, 3, 7, 14, 30, 90, 365] as const;

/** What a marker keeps of what was before it and behind it. */
const MARKED_SECONDS = 60;

type Preset = Readonly<{ label: TextKey; rungs: readonly string[] }>;

const LADDERS: Readonly<Record<string, Preset>> = {
  all: { label: 'setting.ladder.all', rungs: ['1080p', '720p', '480p', '360p', '240p'] },
  hd: { label: 'setting.ladder.hd', rungs: ['720p', '480p', '360p', '240p'] },
  small: { label: 'setting.ladder.small', rungs: ['480p', '360p', '240p'] },
  one: { label: 'setting.ladder.one', rungs: ['720p'] },
};

type Ladder = StreamSettings['ladder'];
export type LanguageDefaults = Partial<Pick<StreamSettings, 'defaultAudio' | 'defaultCaptions'>>;
type Retention = StreamSettings['retention'];
type Marked = NonNullable<NonNullable<Retention>['marked']>;
export type SettingsForm = Readonly<Record<string, string>>;

export const dvrChoices = (now: number | null): readonly Choice[] =>
  spanChoices(DVR_SECONDS, now, 'setting.toTheStart');

export const idleChoices = (now: number | null): readonly Choice[] =>
  spanChoices(IDLE_SECONDS, now, 'setting.never');

/** `now` undefined: of a stream that is not there yet, whose encoder may decide. */
export const targetChoices = (now: number | undefined): readonly Choice[] => [
  ...(now === undefined ? [{ value: AS_SENT, label: text('setting.asSent') }] : []),
  ...withPresent(TARGET_SECONDS, now).map(spanChoice),
];

/** `now` undefined: of a stream that is not there yet, for which the deployment may have a default. */
export const retentionChoices = (now: Retention | undefined): readonly Choice[] => [
  ...(now === undefined ? [{ value: AS_DEPLOYED, label: text('setting.asDeployed') }] : []),
  ...withPresent(RETENTION_DAYS, now?.days).map(dayChoice),
  { value: UNLIMITED, label: text('setting.forEver') },
];

export function markedChoices(now: Retention | undefined): readonly Choice[] {
  const presets = [...RETENTION_DAYS.slice(2), null].map((days) => ({
    value: markedValue(aroundAll(days)),
    label: days === null ? text('setting.forEver') : dayChoice(days).label,
  }));
  const own = markedValue(now?.marked);
  const isOwn = own !== NO_LONGER && presets.every(({ value }) => value !== own);
  return [
    { value: NO_LONGER, label: text('setting.noLonger') },
    ...presets,
    ...(isOwn ? [{ value: own, label: text('setting.marked.own') }] : []),
  ];
}

export const clippedChoices = (now: Retention | undefined): readonly Choice[] => [
  { value: NO_LONGER, label: text('setting.noLonger') },
  ...withPresent(RETENTION_DAYS.slice(2), now?.clipped).map(dayChoice),
  { value: UNLIMITED, label: text('setting.forEver') },
];

const aroundAll = (days: number | null): Marked => [
  { days, beforeSeconds: MARKED_SECONDS, afterSeconds: MARKED_SECONDS },
];

const markedValue = (marked: Marked | undefined): string =>
  marked === undefined ? NO_LONGER : JSON.stringify(marked);

export function ladderChoices(now: Ladder): readonly Choice[] {
  const names = now.map(({ name }) => name).join(', ');
  const own = { value: OWN_LADDER, label: text('setting.ladder.own', { names }) };
  const presets = Object.entries(LADDERS).map(([value, { label }]) => {
    return { value, label: text(label) };
  });
  return ladderName(now) === OWN_LADDER ? [...presets, own] : presets;
}

/** `offered`: tags of the languages that the stream has; `now`: the present default. */
export function audioChoices(
  offered: readonly string[],
  now: string | undefined,
): readonly Choice[] {
  return [{ value: FIRST, label: text('setting.firstAudio') }, ...languages(offered, now)];
}

/** As of the audio. Not to have a default is the same as `off`. */
export function captionChoices(
  offered: readonly string[],
  now: string | undefined,
): readonly Choice[] {
  const chosen = now === NO_CAPTIONS_SHOWN ? undefined : now;
  return [{ value: FIRST, label: text('setting.noCaptions') }, ...languages(offered, chosen)];
}

function languages(offered: readonly string[], now: string | undefined): readonly Choice[] {
  const tags = new Set([...offered, ...(now === undefined ? [] : [now])]);
  tags.delete(UNDETERMINED);
  return [...tags].map((value) => ({ value, label: ownName(value) }));
}

export const webmChoices = (): readonly Choice[] => [
  { value: 'onDemand', label: text('setting.webm.onDemand') },
  { value: 'always', label: text('setting.webm.always') },
  { value: 'never', label: text('setting.webm.never') },
];

/** What the fields of the form say; a box that is not checked says nothing. */
export const formOf = (
  settings: Omit<
    StreamSettings,
    'holeGraceSeconds' | 'targetDurationSeconds' | 'listed' | 'retention'
  > &
    Partial<StreamSettings>,
): SettingsForm => ({
  title: settings.title,
  ...(settings.listed && { listed: 'on' }),
  dvrWindow: String(settings.dvrWindowSeconds),
  idleTimeout: String(settings.idleTimeoutSeconds),
  ladder: ladderName(settings.ladder),
  targetDuration: String(settings.targetDurationSeconds ?? AS_SENT),
  ...retentionForm(settings.retention),
  defaultAudio: settings.defaultAudio?.[ANYWHERE] ?? FIRST,
  defaultCaptions: captionsOf(settings.defaultCaptions),
  ...(settings.webm && { webm: settings.webm }),
  ...(settings.redundant && { redundant: 'on' }),
});

const retentionForm = (now: Retention | undefined): SettingsForm => ({
  retention: now === undefined ? AS_DEPLOYED : now === null ? UNLIMITED : String(now.days),
  marked: markedValue(now?.marked),
  clipped: now?.clipped === undefined ? NO_LONGER : String(now.clipped),
});

/** The three fields say one setting. */
function retentionOf({ retention, marked, clipped }: SettingsForm): Retention {
  if (retention === UNLIMITED) return null;
  return {
    days: Number(retention),
    ...(marked && { marked: JSON.parse(marked) }),
    ...(clipped && { clipped: clipped === UNLIMITED ? null : Number(clipped) }),
  };
}

/**
 * What the owner has changed; a field that is not in the form was left alone. `defaults`: the languages by
 * country as they are, of which the form shows those of all others.
 */
export function changesOf(
  before: SettingsForm,
  after: SettingsForm,
  { defaultAudio = {}, defaultCaptions = {} }: LanguageDefaults = {},
): StreamChange {
  const isChanged = (name: string): boolean =>
    after[name] !== undefined && after[name] !== before[name];
  const isToggled = (name: string): boolean => (after[name] ?? '') !== (before[name] ?? '');
  const rungs = LADDERS[after.ladder ?? '']?.rungs;
  return {
    ...(isChanged('title') && { title: after.title ?? '' }),
    ...(isToggled('listed') && { listed: after.listed === 'on' }),
    ...(isChanged('dvrWindow') && { dvrWindowSeconds: secondsOf(after.dvrWindow) }),
    ...(isChanged('idleTimeout') && { idleTimeoutSeconds: secondsOf(after.idleTimeout) }),
    ...(isChanged('ladder') && rungs && { ladder: ladderOf(rungs) }),
    ...(isChanged('targetDuration') &&
      after.targetDuration !== AS_SENT && { targetDurationSeconds: Number(after.targetDuration) }),
    ...(['retention', 'marked', 'clipped'].some(isChanged) &&
      after.retention !== AS_DEPLOYED && { retention: retentionOf(after) }),
    ...(isChanged('defaultAudio') &&
      isToggled('defaultAudio') && { defaultAudio: withDefault(defaultAudio, after.defaultAudio) }),
    ...(isChanged('defaultCaptions') &&
      isToggled('defaultCaptions') && {
        defaultCaptions: withDefault(defaultCaptions, after.defaultCaptions),
      }),
    ...(isChanged('webm') && isToggled('webm') && { webm: webmOf(after.webm) }),
    ...(isToggled('redundant') && { redundant: after.redundant === 'on' }),
  };
}

const webmOf = (value: string | undefined): NonNullable<StreamSettings['webm']> =>
  value === 'always' || value === 'never' ? value : 'onDemand';

const captionsOf = ({ [ANYWHERE]: language = FIRST }: RegionDefaults = {}): string =>
  language === NO_CAPTIONS_SHOWN ? FIRST : language;

function withDefault({ [ANYWHERE]: _, ...countries }: RegionDefaults, language = FIRST) {
  return language === FIRST ? countries : { ...countries, [ANYWHERE]: language };
}

/** `Main stage: Köln!` → `main-stage-koln`. */
export const idFor = (title: string): string =>
  title
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 64)
    .replace(/^-|-$/g, '');

const ladderOf = (names: readonly string[]): Ladder =>
  DEFAULT_LADDER.filter(({ name }) => names.includes(name));

const printed = (ladder: Ladder): string =>
  ladder.map(({ name, shortSidePx, maxrateBps }) => [name, shortSidePx, maxrateBps].join()).join();

const ladderName = (ladder: Ladder): string =>
  Object.entries(LADDERS).find(
    ([, { rungs }]) => printed(ladderOf(rungs)) === printed(ladder),
  )?.[0] ?? OWN_LADDER;

const secondsOf = (value: string | undefined): number | null =>
  value === UNLIMITED ? null : Number(value);

const spanChoice = (seconds: number): Choice => ({
  value: String(seconds),
  label: formatSpan(seconds * 1000),
});

/** Not as a span, which other languages inflect: `vor 7 Tagen`, but `7 Tage`. */
const dayChoice = (days: number): Choice => ({
  value: String(days),
  label: days === 1 ? text('span.day') : text('setting.days', { count: days }),
});

/** What is set now is always among them. */
const withPresent = (
  usual: readonly number[],
  now: number | null | undefined,
): readonly number[] =>
  typeof now === 'number' ? [...new Set([...usual, now])].sort((a, b) => a - b) : usual;

const spanChoices = (
  usual: readonly number[],
  now: number | null,
  unlimited: TextKey,
): readonly Choice[] => [
  ...withPresent(usual, now).map(spanChoice),
  { value: UNLIMITED, label: text(unlimited) },
];
