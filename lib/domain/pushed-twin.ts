/**
 * What becomes of a pushed segment whose number or time another segment of the run has already: it is
 * sent again, another variant, the encoder's restart, or names that are used in turn. Pure.
 */

import { closestName } from './segment-names.ts';
import { TICKS_PER_SECOND } from './ticks.ts';

export type TwinAnswer =
  /** In place of the twin, as no viewer has seen that. */
  | 'replace'
  /** The twin stays: viewers have it. */
  | 'keep_twin'
  /** Another variant; the one that came first stays. */
  | 'ignore_variant'
  /** A better variant, and its twin is listed: a new run begins with it. */
  | 'switch_variant'
  /** Goes on behind the newest segment. */
  | 'next_number'
  | 'new_run';

export type Span = Readonly<{ startTicks: number; endTicks: number }>;

export type TwinQuestion = Readonly<{
  /** Both came under one file name. */
  isSameName: boolean;
  /** On the run's clock. */
  span: Span;
  twin: Span;
  newest: Span & Readonly<{ number: number }>;
  twinNumber: number;
  firstNumber: number;
  /** The encoder ended the run by its playlist or a call. */
  runEnded: boolean;
  /** The twin has its outcome: its listing can no longer be stopped. */
  twinIsDone: boolean;
  /** Variants of one segment come within seconds; a restarted encoder has to encode one first. */
  cameTogether: boolean;
  /** The better of two variants. */
  isBetter: boolean;
  /** By its picture it is of the variant that the run was begun with, and the twin is not. */
  isRunsOwn: boolean;
  /** The run has sound alone so far, and this is a picture. */
  isFirstPicture: boolean;
  /** Several encoders send the same segments; the first copy wins. */
  isRedundant: boolean;
}>;

/** A segment that is sent again, or a variant's, is no further behind the newest; a restarted encoder may be. */
const MAX_BEHIND = 8;

/** Names that are used in turn show the time right behind the newest segment, or a few lost ones later. */
const ROUNDING_TICKS = TICKS_PER_SECOND / 2;
const MAX_PAUSE_TICKS = 30 * TICKS_PER_SECOND;

export function answerTwin(question: TwinQuestion): TwinAnswer {
  const { span, twin, newest, twinNumber, firstNumber, isSameName } = question;
  const isRecent = twinNumber > newest.number - MAX_BEHIND;
  const isOnlyOne = twinNumber === firstNumber && newest.number === firstNumber;
  if (overlap(span, twin)) {
    if (!isRecent) return 'new_run';
    if (!isSameName) {
      if (!question.cameTogether) return 'new_run';
      // Requests overtake each other: a file of another variant had the place first.
      if (question.isRunsOwn) return question.twinIsDone ? 'keep_twin' : 'replace';
      if (question.isFirstPicture && !isOnlyOne) return 'switch_variant';
      // Pictures and sound of a run are planned by its first segment, so the variant is chosen with it.
      if (!question.isBetter || !isOnlyOne) return 'ignore_variant';
      return question.twinIsDone ? 'switch_variant' : 'replace';
    }
    if (question.isRedundant && question.cameTogether) return 'keep_twin';
    if (question.runEnded) return 'new_run';
    if (twinNumber <= firstNumber && (!isOnlyOne || question.twinIsDone)) return 'new_run';
    return question.twinIsDone ? 'keep_twin' : 'replace';
  }
  return followsOn(span, newest) && !question.runEnded ? 'next_number' : 'new_run';
}

/** Whether a segment goes on where the newest one ended, or after a short pause. */
export function followsOn(span: Span, newest: Span): boolean {
  const pauseTicks = span.startTicks - newest.endTicks;
  return pauseTicks >= -ROUNDING_TICKS && pauseTicks <= MAX_PAUSE_TICKS;
}

/** Whether two segments show the same time, more than half of the shorter one. */
export function overlap(a: Span, b: Span): boolean {
  const shared = Math.min(a.endTicks, b.endTicks) - Math.max(a.startTicks, b.startTicks);
  return shared > Math.min(a.endTicks - a.startTicks, b.endTicks - b.startTicks) / 2;
}

export type VariantFacts = Readonly<{
  name: string;
  sizeBytes: number;
  picture?: Readonly<{ widthPx: number; heightPx: number }>;
}>;

/**
 * Whether a variant is better than the one that came before it: picture before sound alone, then by
 * the BANDWIDTH of its playlist if the multivariant playlist came, then the larger picture, then more bytes.
 */
export function isBetterVariant(
  variant: VariantFacts,
  before: VariantFacts,
  bandwidths: Readonly<Record<string, number>>,
): boolean {
  const rank = ({ name, sizeBytes, picture }: VariantFacts): number[] => [
    picture ? 1 : 0,
    bandwidths[closestName(name, Object.keys(bandwidths)) ?? ''] ?? 0,
    picture ? picture.widthPx * picture.heightPx : 0,
    sizeBytes,
  ];
  const others = rank(before);
  const ranks = rank(variant);
  const telling = ranks.findIndex((value, index) => value !== others[index]);
  return telling >= 0 && (ranks[telling] ?? 0) > (others[telling] ?? 0);
}
