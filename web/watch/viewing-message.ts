/** The message that the page shows in each state. Pure. */

import { formatTimeOfDay } from '../shared/format-time.ts';
import { type TextKey, text } from '../texts/text.ts';
import type { Viewing } from './viewing.ts';

export type ViewingMessage = Readonly<{
  title: string;
  detail: string;
  /** `screen` covers the video; `banner` lies above a video that may still play; `none` shows nothing. */
  place: 'screen' | 'banner' | 'none';
  busy: boolean;
  action?: Readonly<{ label: string; event: 'try_again' | 'watch_from_start' }>;
}>;

type Place = ViewingMessage['place'];
type Action = NonNullable<ViewingMessage['action']>;

const silent: ViewingMessage = { title: '', detail: '', place: 'none', busy: false };

/** The page goes on by itself. */
const busy = (place: Place, title: string, detail = ''): ViewingMessage => {
  return { title, detail, place, busy: true };
};

/** The viewer may go on. */
const over = (
  title: TextKey,
  detail: string,
  label: TextKey,
  event: Action['event'] = 'watch_from_start',
): ViewingMessage => ({
  title: text(title),
  detail,
  place: 'screen',
  busy: false,
  action: { label: text(label), event },
});

export function describeViewing(viewing: Viewing): ViewingMessage {
  const started = viewing.source !== 'none';
  switch (viewing.state) {
    case 'live':
    case 'behind':
    case 'recording':
      return silent;
    case 'opening':
    case 'connecting':
      return busy(started ? 'none' : 'screen', text('viewing.connecting'));
    case 'waiting':
      if (viewing.detail !== '') return busy('screen', text('upload.cardFailed'), viewing.detail);
      return viewing.holdup === 'server'
        ? busy('screen', text('viewing.starting'), text('viewing.startingDetail'))
        : busy('screen', text('viewing.notStarted'), text('viewing.notStartedDetail'));
    case 'stalled':
      return busy('banner', ...describeStall(viewing));
    case 'reconnecting':
      return busy(started ? 'banner' : 'screen', ...describeFailure(viewing));
    case 'recovering': {
      const reloads = viewing.mediaErrorsAtMs.length > 1;
      const what = reloads ? 'viewing.reloading' : 'viewing.restartingDecoder';
      return busy('banner', text('viewing.playbackProblem'), text(what));
    }
    case 'ended':
      return viewing.wasLive
        ? over('viewing.streamEnded', text('viewing.recordingReady'), 'viewing.fromStart')
        : over('viewing.recordingEnd', '', 'viewing.again');
    case 'unknown': {
      const why = viewing.wasLive ? 'viewing.removed' : 'viewing.unknownDetail';
      return over('viewing.unknown', text(why), 'viewing.tryAgain', 'try_again');
    }
    case 'failed': {
      const tried = text('viewing.failedDetail', { detail: viewing.detail });
      return over('viewing.failed', tried.trim(), 'viewing.tryAgain', 'try_again');
    }
  }
}

type Text = [title: string, detail: string];

const slowLine = (): Text => [text('viewing.slowLine'), text('viewing.slowLineDetail')];

function describeFailure({ failure, attempt }: Viewing): Text {
  const isAgain = attempt > 1;
  switch (failure) {
    case 'no_answer': {
      const detail = isAgain ? 'viewing.reconnectingAgain' : 'viewing.reconnecting';
      return [text('viewing.noServer'), text(detail, { attempt })];
    }
    case 'error': {
      const detail = isAgain ? 'viewing.serverErrorAgain' : 'viewing.serverErrorDetail';
      return [text('viewing.serverError'), text(detail, { attempt })];
    }
    case 'slow':
      return slowLine();
    case 'offline':
      return [text('viewing.offline'), text('viewing.offlineDetail')];
  }
}

/** Whose fault it is, and since when. */
function describeStall({ holdup, heldUpSinceMs }: Viewing): Text {
  const since = (known: TextKey, unknown: TextKey): string =>
    heldUpSinceMs === undefined
      ? text(unknown)
      : text(known, { time: formatTimeOfDay(heldUpSinceMs) });
  switch (holdup) {
    case 'nobody':
      return [text('viewing.buffering'), ''];
    case 'viewer':
      return slowLine();
    case 'server':
      return [
        text('viewing.serverBehind'),
        since('viewing.serverBehindSince', 'viewing.serverBehindDetail'),
      ];
    case 'broadcaster':
      return [text('viewing.silent'), since('viewing.silentSince', 'viewing.silentDetail')];
    case 'end':
      return [text('viewing.over'), text('viewing.overDetail')];
  }
}
