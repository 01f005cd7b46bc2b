/** The page's side of a broadcast: tracks go to the worker, which encodes, keeps and sends them. */

import {
  chooseRecorderType,
  chooseWay,
  type EncodingWay,
  type VideoSettings,
} from './codec-choice.ts';
import { StudioRecorder } from './recorder.ts';
import type { StudioAccess } from './studio-link.ts';
import type { FromWorker, Layout, PictureSource, ToWorker } from './worker-messages.ts';

/** Replaced by the build. */
declare const STUDIO_WORKER_FILE: string;

/** Blocks of 10 ms that wait for a busy worker; by default some tenths of a second are lost instead. */
const SOUND_BLOCKS = 300;

export type BroadcastTracks = Readonly<{
  camera: MediaStreamTrack | undefined;
  screen: MediaStreamTrack | undefined;
  sound: MediaStreamTrack | undefined;
  layout: Layout;
}>;

const recorderType = (): string | undefined =>
  'MediaRecorder' in window
    ? chooseRecorderType((type) => MediaRecorder.isTypeSupported(type))
    : undefined;

/** undefined: this browser can neither way. */
export const wayOfBrowser = (): EncodingWay | undefined =>
  chooseWay({
    hasFrameStreams: 'MediaStreamTrackProcessor' in window,
    hasCodecs: 'VideoEncoder' in window && 'AudioEncoder' in window,
    recorderType: recorderType(),
  });

export class Broadcast {
  readonly #worker = new Worker(new URL(STUDIO_WORKER_FILE, import.meta.url));
  readonly #way = wayOfBrowser();
  readonly #recorder = new StudioRecorder(recorderType() ?? '', (bytes, startedAtMs) =>
    this.#send({ type: 'recorded', bytes, ...(startedAtMs !== undefined && { startedAtMs }) }, [
      bytes.buffer,
    ]),
  );
  readonly #sent = new Map<PictureSource | 'sound', MediaStreamTrack | undefined>();
  #isLive = false;
  #settings: VideoSettings | undefined;

  constructor(access: StudioAccess, onMessage: (message: FromWorker) => void) {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromWorker>) =>
      onMessage(data),
    );
    this.setAccess(access);
  }

  setAccess({ videoId, key }: StudioAccess): void {
    this.#send({ type: 'open', videoId, key, baseUrl: location.origin });
  }

  start(settings: VideoSettings, tracks: BroadcastTracks): void {
    this.#settings = settings;
    this.#isLive = true;
    this.#sent.clear();
    if (this.#way === 'codecs') {
      this.#send({ type: 'layout', layout: tracks.layout });
      this.#send({ type: 'start', video: settings, sound: tracks.sound !== undefined });
    }
    this.update(tracks);
  }

  /** Devices have come or gone, or the layout is another. */
  update(tracks: BroadcastTracks): void {
    if (!this.#isLive) return;
    if (this.#way === 'recorder') this.#record(tracks);
    else this.#stream(tracks);
  }

  #stream(tracks: BroadcastTracks): void {
    for (const source of ['camera', 'screen'] as const) {
      const track = tracks[source];
      if (!this.#isOther(source, track)) continue;
      const frames = track && new MediaStreamTrackProcessor({ track: videoTrack(track) }).readable;
      this.#send({ type: 'picture', source, frames }, frames ? [frames] : []);
    }
    if (tracks.sound && this.#isOther('sound', tracks.sound)) {
      const track = tracks.sound as MediaStreamAudioTrack;
      const { readable: blocks } = new MediaStreamTrackProcessor({
        track,
        maxBufferSize: SOUND_BLOCKS,
      });
      this.#send({ type: 'sound', blocks }, [blocks]);
    }
    this.#send({ type: 'layout', layout: tracks.layout });
  }

  /** What is left is sent, then the stream ends. */
  async stop(): Promise<void> {
    this.#isLive = false;
    await this.#recorder.stop();
    this.#send({ type: 'stop' });
    if (this.#way !== 'codecs') return;
    for (const source of ['camera', 'screen'] as const) {
      this.#send({ type: 'picture', source, frames: undefined });
    }
  }

  retry(): void {
    this.#send({ type: 'retry' });
  }

  /** One picture at a time: a recorder cannot compose. A camera that is muted gives black. */
  #record({ camera, screen, sound, layout }: BroadcastTracks): void {
    const picture = layout === 'both' || layout === 'screen' ? (screen ?? camera) : camera;
    const isOther = [this.#isOther('camera', picture), this.#isOther('sound', sound)].some(Boolean);
    const tracks = [picture, sound].filter((track) => track !== undefined);
    if (isOther && tracks.length > 0)
      this.#recorder.start(tracks, this.#settings?.bitsPerSecond ?? 0);
  }

  #isOther(name: PictureSource | 'sound', track: MediaStreamTrack | undefined): boolean {
    const isOther = !this.#sent.has(name) ? track !== undefined : this.#sent.get(name) !== track;
    this.#sent.set(name, track);
    return isOther;
  }

  #send(message: ToWorker, transferred: Transferable[] = []): void {
    this.#worker.postMessage(message, transferred);
  }
}

const videoTrack = (track: MediaStreamTrack): MediaStreamVideoTrack =>
  track as MediaStreamVideoTrack;
