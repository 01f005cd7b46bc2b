/** Camera, microphone and screen: they come and go without ending the broadcast. */

import { QUALITIES, type QualityName } from './codec-choice.ts';
import { deviceInstead } from './device-choice.ts';
import { SoundMixer } from './sound-mixer.ts';

export type DeviceKind = 'camera' | 'microphone';

/** `lost`: a device is gone, and none or another has its place. `denied`: the user or the system said no. */
export type SourceEvents = Readonly<{
  onChange(): void;
  onLost(kind: DeviceKind, instead: string | undefined): void;
}>;

const KINDS = { camera: 'videoinput', microphone: 'audioinput' } as const;

export class MediaSources {
  readonly sound = new SoundMixer();
  readonly #events: SourceEvents;
  readonly #tracks: Partial<Record<DeviceKind, MediaStreamTrack>> = {};
  #screen: MediaStreamTrack | undefined;
  #quality: QualityName = '720p';

  constructor(events: SourceEvents) {
    this.#events = events;
    navigator.mediaDevices.addEventListener('devicechange', () => void this.#devicesChanged());
  }

  get camera(): MediaStreamTrack | undefined {
    return this.#tracks.camera;
  }

  get microphone(): MediaStreamTrack | undefined {
    return this.#tracks.microphone;
  }

  get screen(): MediaStreamTrack | undefined {
    return this.#screen;
  }

  /** Names are empty until one device was allowed. */
  async devices(kind: DeviceKind): Promise<readonly MediaDeviceInfo[]> {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((one) => one.kind === KINDS[kind] && one.deviceId !== '');
  }

  /** Both at once, so that the user is asked once; where one is missing, the other alone. */
  async openBoth(): Promise<void> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: this.#constraints('camera'),
        audio: this.#constraints('microphone'),
      });
      this.#use('camera', stream.getVideoTracks()[0]);
      this.#use('microphone', stream.getAudioTracks()[0]);
    } catch (error) {
      const opened = await Promise.allSettled([this.open('camera'), this.open('microphone')]);
      if (opened.every(({ status }) => status === 'rejected')) throw error;
    }
  }

  /** In place of the one before. Throws what `getUserMedia` throws; then that one stays. */
  async open(kind: DeviceKind, deviceId?: string): Promise<void> {
    const constraints = this.#constraints(kind, deviceId);
    const stream = await navigator.mediaDevices.getUserMedia(
      kind === 'camera' ? { video: constraints } : { audio: constraints },
    );
    this.#use(kind, stream.getTracks()[0]);
  }

  async setQuality(quality: QualityName): Promise<void> {
    this.#quality = quality;
    await this.camera?.applyConstraints(this.#constraints('camera')).catch(() => undefined);
    this.#events.onChange();
  }

  /** With its sound, where the browser gives it. Throws what `getDisplayMedia` throws. */
  async shareScreen(): Promise<void> {
    const stream = await navigator.mediaDevices.getDisplayMedia({
      video: { frameRate: { max: 30 } },
      audio: true,
    });
    this.stopScreen();
    const [track] = stream.getVideoTracks();
    if (!track) return;
    this.#screen = track;
    track.addEventListener('ended', () => {
      if (this.#screen === track) this.stopScreen();
    });
    this.sound.setScreen(stream.getAudioTracks()[0]);
    this.#events.onChange();
  }

  stopScreen(): void {
    if (!this.#screen) return;
    this.#screen.stop();
    this.#screen = undefined;
    this.sound.setScreen(undefined);
    this.#events.onChange();
  }

  /** The lights of camera and microphone go out. */
  closeAll(): void {
    this.stopScreen();
    for (const kind of ['camera', 'microphone'] as const) this.#use(kind, undefined);
  }

  #use(kind: DeviceKind, track: MediaStreamTrack | undefined): void {
    this.#tracks[kind]?.stop();
    if (track) this.#tracks[kind] = track;
    else delete this.#tracks[kind];
    if (kind === 'microphone') this.sound.setMicrophone(track);
    track?.addEventListener('ended', () => {
      if (this.#tracks[kind] === track) void this.#replace(kind, track);
    });
    this.#events.onChange();
  }

  async #replace(kind: DeviceKind, lost: MediaStreamTrack): Promise<void> {
    this.#use(kind, undefined);
    const other = deviceInstead(await this.devices(kind), lost.getSettings().deviceId);
    if (other) await this.open(kind, other.deviceId).catch(() => undefined);
    this.#events.onLost(kind, this.#tracks[kind]?.label);
  }

  /** One that is plugged in takes an empty place. */
  async #devicesChanged(): Promise<void> {
    for (const kind of ['camera', 'microphone'] as const) {
      const isFree = this.#tracks[kind] === undefined;
      const [first] = await this.devices(kind);
      if (isFree && first?.label) await this.open(kind, first.deviceId).catch(() => undefined);
    }
    this.#events.onChange();
  }

  #constraints(kind: DeviceKind, deviceId?: string): MediaTrackConstraints {
    const device = deviceId === undefined ? {} : { deviceId: { exact: deviceId } };
    if (kind === 'microphone') return { ...device, echoCancellation: true };
    const { longSidePx, shortSidePx, framesPerSecond } = QUALITIES[this.#quality];
    return {
      ...device,
      width: { ideal: longSidePx },
      height: { ideal: shortSidePx },
      frameRate: { ideal: framesPerSecond, max: framesPerSecond },
    };
  }
}
