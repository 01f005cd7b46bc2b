/** The message that the page shows in each state. Pure. */

import { formatTimeOfDay } from '../shared/format-time.ts';
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
  title: string,
  detail: string,
  label: string,
  event: Action['event'],
): ViewingMessage => ({ title, detail, place: 'screen', busy: false, action: { label, event } });

export function describeViewing(viewing: Viewing): ViewingMessage {
  const started = viewing.source !== 'none';
  switch (viewing.state) {
    case 'live':
    case 'behind':
    case 'recording':
      return silent;
    case 'opening':
    case 'connecting':
      return busy(started ? 'none' : 'screen', 'Connecting…');
    case 'waiting':
      return viewing.holdup === 'server'
        ? busy('screen', 'Starting…', 'The broadcast has begun. The server is preparing it.')
        : busy(
            'screen',
            'Not started yet',
            'The broadcast begins here by itself. You can leave this page open.',
          );
    case 'stalled':
      return busy('banner', ...describeStall(viewing));
    case 'reconnecting':
      return busy(started ? 'banner' : 'screen', ...describeFailure(viewing));
    case 'recovering': {
      const reloads = viewing.mediaErrorsAtMs.length > 1;
      const what = reloads ? 'Loading the stream again where you were…' : 'Restarting the decoder…';
      return busy('banner', 'Playback problem', what);
    }
    case 'ended':
      return viewing.wasLive
        ? over(
            'The stream has ended',
            'The recording is ready.',
            'Watch from the start',
            'watch_from_start',
          )
        : over('End of the recording', '', 'Watch again', 'watch_from_start');
    case 'unknown': {
      const why = viewing.wasLive
        ? 'It was removed while you watched.'
        : 'Nothing is stored under this id. Check the link for typing errors.';
      return over('No such stream', why, 'Try again', 'try_again');
    }
    case 'failed': {
      const tried = `Restarting the decoder and loading it again did not help. ${viewing.detail}`;
      const title = 'This browser cannot play the stream';
      return over(title, tried.trim(), 'Try again', 'try_again');
    }
  }
}

type Text = [title: string, detail: string];

const SLOW_LINE: Text = [
  'Your connection is too slow',
  'The video arrives more slowly than it plays.',
];

function describeFailure({ failure, attempt }: Viewing): Text {
  const again = attempt > 1 ? ` (attempt ${attempt})` : '';
  switch (failure) {
    case 'no_answer':
      return ['The server cannot be reached', `Reconnecting${again}…`];
    case 'error':
      return ['The server has a problem', `It answers with errors. Trying again${again}…`];
    case 'slow':
      return SLOW_LINE;
    case 'offline':
      return ['You are offline', 'Playback goes on by itself when the network is back.'];
  }
}

/** Whose fault it is, and since when. */
function describeStall({ holdup, heldUpSinceMs }: Viewing): Text {
  const since = heldUpSinceMs === undefined ? '' : ` since ${formatTimeOfDay(heldUpSinceMs)}`;
  switch (holdup) {
    case 'nobody':
      return ['Buffering…', ''];
    case 'viewer':
      return SLOW_LINE;
    case 'server':
      return [
        'The server is behind',
        `The broadcaster sends, but new video waits for transcoding${since}.`,
      ];
    case 'broadcaster':
      return [
        'The broadcaster sends nothing',
        `Nothing has come${since}. Playback resumes when it does.`,
      ];
    case 'end':
      return [
        'The broadcaster has ended the broadcast',
        'If it resumes, it resumes here; if not, the recording follows.',
      ];
  }
}
