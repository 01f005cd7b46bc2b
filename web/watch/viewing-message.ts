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

const silent: ViewingMessage = { title: '', detail: '', place: 'none', busy: false };

export function describeViewing(viewing: Viewing): ViewingMessage {
  const started = viewing.source !== 'none';
  switch (viewing.state) {
    case 'live':
    case 'behind':
    case 'recording':
      return silent;
    case 'opening':
    case 'connecting':
      return { title: 'Connecting…', detail: '', place: started ? 'none' : 'screen', busy: true };
    case 'waiting':
      return {
        title: 'Not started yet',
        detail: 'The broadcast begins here by itself. You can leave this page open.',
        place: 'screen',
        busy: true,
      };
    case 'stalled':
      return viewing.source === 'live' && viewing.starved
        ? {
            title: 'Waiting for the broadcaster…',
            detail: 'Nothing new has come for a moment. Playback goes on by itself.',
            place: 'banner',
            busy: true,
          }
        : { title: 'Buffering…', detail: '', place: 'banner', busy: true };
    case 'reconnecting':
      return {
        title: viewing.offline ? 'You are offline' : 'Connection lost',
        detail: viewing.offline
          ? 'Playback goes on by itself when the network is back.'
          : `Reconnecting${viewing.attempt > 1 ? ` (attempt ${viewing.attempt})` : ''}…`,
        place: started ? 'banner' : 'screen',
        busy: true,
      };
    case 'recovering':
      return {
        title: 'Playback problem',
        detail:
          viewing.mediaErrorsAtMs.length > 1
            ? 'Loading the stream again where you were…'
            : 'Restarting the decoder…',
        place: 'banner',
        busy: true,
      };
    case 'ended':
      return {
        title: viewing.wasLive ? 'The stream has ended' : 'End of the recording',
        detail: viewing.wasLive ? 'The recording is ready.' : '',
        place: 'screen',
        busy: false,
        action: {
          label: viewing.wasLive ? 'Watch from the start' : 'Watch again',
          event: 'watch_from_start',
        },
      };
    case 'unknown':
      return {
        title: 'No such stream',
        detail: viewing.wasLive
          ? 'It was removed while you watched.'
          : 'Nothing is stored under this id. Check the link for typing errors.',
        place: 'screen',
        busy: false,
        action: { label: 'Try again', event: 'try_again' },
      };
    case 'failed':
      return {
        title: 'This browser cannot play the stream',
        detail:
          `Restarting the decoder and loading it again did not help. ${viewing.detail}`.trim(),
        place: 'screen',
        busy: false,
        action: { label: 'Try again', event: 'try_again' },
      };
  }
}
