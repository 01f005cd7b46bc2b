/**
 * The sound of the broadcast: microphone and screen in one track of one rate, which stays while devices come
 * and go, and is silent without them.
 */

import { levelOf } from './sound-level.ts';

export class SoundMixer {
  readonly #context = new AudioContext();
  readonly #output = this.#context.createMediaStreamDestination();
  readonly #voice = this.#context.createGain();
  readonly #analyser = this.#context.createAnalyser();
  readonly #samples = new Float32Array(1024);
  #microphone: MediaStreamAudioSourceNode | undefined;
  #screen: MediaStreamAudioSourceNode | undefined;

  constructor() {
    this.#analyser.fftSize = this.#samples.length;
    this.#voice.connect(this.#analyser);
    this.#voice.connect(this.#output);
  }

  /** Of the broadcast. */
  get track(): MediaStreamTrack | undefined {
    return this.#output.stream.getAudioTracks()[0];
  }

  /** Browsers let it run after a gesture. */
  resume(): void {
    if (this.#context.state !== 'running') void this.#context.resume();
  }

  setMicrophone(track: MediaStreamTrack | undefined): void {
    this.#microphone?.disconnect();
    this.#microphone = track && this.#sourceOf(track);
    this.#microphone?.connect(this.#voice);
  }

  setScreen(track: MediaStreamTrack | undefined): void {
    this.#screen?.disconnect();
    this.#screen = track && this.#sourceOf(track);
    this.#screen?.connect(this.#output);
  }

  /** Of the microphone alone. Without a click: the gain follows in some milliseconds. */
  mute(isMuted: boolean): void {
    this.#voice.gain.setTargetAtTime(isMuted ? 0 : 1, this.#context.currentTime, 0.01);
  }

  /** Of the microphone as it goes out: 0 is -60 dB and less, 1 is as loud as can be. */
  level(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return levelOf(this.#samples);
  }

  #sourceOf(track: MediaStreamTrack): MediaStreamAudioSourceNode {
    return this.#context.createMediaStreamSource(new MediaStream([track]));
  }
}
