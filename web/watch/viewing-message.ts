/** The message that the page shows in each state. Pure. */

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
      return busy(
        'screen',
        'Not started yet',
        'The broadcast begins here by itself. You can leave this page open.',
      );
    case 'stalled':
      if (viewing.source !== 'live' || !viewing.starved) return busy('banner', 'Buffering…');
      return busy(
        'banner',
        'Waiting for the broadcaster…',
        'Nothing new has come for a moment. Playback goes on by itself.',
      );
    case 'reconnecting': {
      const place = started ? 'banner' : 'screen';
      const attempt = viewing.attempt > 1 ? ` (attempt ${viewing.attempt})` : '';
      return viewing.offline
        ? busy(place, 'You are offline', 'Playback goes on by itself when the network is back.')
        : busy(place, 'Connection lost', `Reconnecting${attempt}…`);
    }
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
