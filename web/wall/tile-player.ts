/** The player of a tile: the smallest picture without sound, or the whole stream. */

import Hls, {
  type HlsConfig,
  type Loader,
  type LoaderCallbacks,
  type LoaderConfiguration,
  type PlaylistLoaderContext,
} from 'hls.js';
import { createHlsPlayback, type HlsPlayback } from '../watch/hls-playback.ts';
import { type SessionListener, startViewing } from '../watch/viewing-session.ts';
import { smallestVariant } from './smallest-variant.ts';

/** File beside this module, named by the build. */
declare const HLS_WORKER_FILE: string;

export type TilePlayer = Readonly<{
  video: HTMLVideoElement;
  playback: HlsPlayback;
  /** After a stop that is for good on the watch page. */
  tryAgain(): void;
  end(): void;
}>;

/** False on iPhones before iOS 17.1, whose own player tells too little of its position. */
export const canPlay = (): boolean => Hls.isSupported();

type PlaylistLoader = new (config: HlsConfig) => Loader<PlaylistLoaderContext>;
const DefaultLoader = Hls.DefaultConfig.loader as unknown as PlaylistLoader;

/** hls.js then knows of nothing else. */
class SmallestVariantLoader extends DefaultLoader {
  override load(
    context: PlaylistLoaderContext,
    config: LoaderConfiguration,
    callbacks: LoaderCallbacks<PlaylistLoaderContext>,
  ): void {
    const { onSuccess } = callbacks;
    super.load(context, config, {
      ...callbacks,
      onSuccess(response, stats, of, details) {
        const { data } = response;
        const isMultivariant = of.type === 'manifest' && typeof data === 'string';
        const kept = isMultivariant ? { ...response, data: smallestVariant(data) } : response;
        onSuccess(kept, stats, of, details);
      },
    });
  }
}

/** Sixteen tiles share a machine. */
const SMALL: Partial<HlsConfig> = {
  pLoader: SmallestVariantLoader,
  // Fragments are not remuxed: a thread for each tile costs more than it takes off this one.
  enableWorker: false,
  capLevelToPlayerSize: false,
  maxBufferLength: 8,
  maxMaxBufferLength: 12,
  backBufferLength: 4,
};

export function createTilePlayer(
  videoId: string,
  quality: 'smallest' | 'full',
  listener: SessionListener,
): TilePlayer {
  const video = document.createElement('video');
  video.muted = true;
  video.playsInline = true;
  video.disablePictureInPicture = quality === 'smallest';
  video.tabIndex = -1;
  let playback: HlsPlayback | undefined;
  const session = startViewing(
    videoId,
    video,
    (dispatch) => {
      playback = createHlsPlayback(
        video,
        { event: dispatch, tracks: () => undefined },
        {
          workerPath: new URL(HLS_WORKER_FILE, import.meta.url).href,
          nameLevel: ({ height }) => `${height}p`,
          onBlocked: () => undefined,
          ...(quality === 'smallest' && { settings: SMALL }),
        },
      );
      return playback;
    },
    listener,
    { keepsUp: false },
  );
  if (!playback) throw new Error('A session creates its playback at once.');
  return {
    video,
    playback,
    tryAgain: () => session.dispatch({ type: 'try_again' }),
    end() {
      session.end();
      video.remove();
    },
  };
}
