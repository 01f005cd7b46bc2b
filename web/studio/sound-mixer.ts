/**
 * The sound of the broadcast. The microphone that it begins with goes out as it is: Web Audio would make it late
 * against the picture, by 20 to 60 ms. With the sound of a screen, or with another microphone, all are mixed to
 * one track of the same rate, which stays while devices come and go, and is silent without them.
 */

import { levelOf } from './sound-level.ts';

export class SoundMixer {
  readonly #meter = new AudioContext();
  readonly #analyser = this.#meter.createAnalyser();
  readonly #samples = new Float32Array(1024);
  readonly #mixed = new Map<MediaStreamTrack, MediaStreamAudioSourceNode>();
  #metered: MediaStreamAudioSourceNode | undefined;
  #output: MediaStreamAudioDestinationNode | undefined;
  #hasBegun = false;
  #microphone: MediaStreamTrack | undefined;
  #screen: MediaStreamTrack | undefined;
  /** Of the broadcast. */
  #first: MediaStreamTrack | undefined;
  #isMuted = false;

  constructor() {
    this.#analyser.fftSize = this.#samples.length;
  }

  /** A broadcast begins, with the rate of the microphone that is there. */
  begin(): void {
    for (const node of this.#mixed.values()) node.disconnect();
    this.#mixed.clear();
    this.#output = undefined;
    this.#hasBegun = true;
    this.#first = this.#microphone;
  }

  /** Of the broadcast; undefined before it begins. */
  get track(): MediaStreamTrack | undefined {
    if (!this.#hasBegun) return undefined;
    const isAlone = this.#screen === undefined && this.#microphone === this.#first;
    if (this.#first && isAlone) return this.#first;
    this.#output ??= this.#createOutput();
    this.#mix(this.#output);
    return this.#output.stream.getAudioTracks()[0];
  }

  /** Browsers let it run after a gesture. */
  resume(): void {
    if (this.#meter.state !== 'running') void this.#meter.resume();
  }

  setMicrophone(track: MediaStreamTrack | undefined): void {
    this.#microphone = track;
    this.#metered?.disconnect();
    this.#metered = track && this.#meter.createMediaStreamSource(new MediaStream([track]));
    this.#metered?.connect(this.#analyser);
    this.mute(this.#isMuted);
  }

  setScreen(track: MediaStreamTrack | undefined): void {
    this.#screen = track;
  }

  /** Of the microphone alone. */
  mute(isMuted: boolean): void {
    this.#isMuted = isMuted;
    if (this.#microphone) this.#microphone.enabled = !isMuted;
  }

  /** Of the microphone as it goes out: 0 is -60 dB and less, 1 is as loud as can be. */
  level(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    return levelOf(this.#samples);
  }

  #createOutput(): MediaStreamAudioDestinationNode {
    const { sampleRate } = this.#first?.getSettings() ?? {};
    return new AudioContext(sampleRate ? { sampleRate } : {}).createMediaStreamDestination();
  }

  #mix(output: MediaStreamAudioDestinationNode): void {
    const context = output.context as AudioContext;
    const tracks = [this.#microphone, this.#screen].filter((track) => track !== undefined);
    for (const [track, node] of this.#mixed) {
      if (tracks.includes(track)) continue;
      node.disconnect();
      this.#mixed.delete(track);
    }
    for (const track of tracks) {
      if (this.#mixed.has(track)) continue;
      const node = context.createMediaStreamSource(new MediaStream([track]));
      node.connect(output);
      this.#mixed.set(track, node);
    }
  }
}
