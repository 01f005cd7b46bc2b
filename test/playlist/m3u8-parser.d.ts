/** The part of m3u8-parser (which has no types of its own) that the tests read. */
declare module 'm3u8-parser' {
  type Segment = Readonly<{
    uri: string;
    duration: number;
    timeline: number;
    discontinuity?: boolean;
    dateTimeString?: string;
    map?: Readonly<{ uri: string }>;
  }>;

  type Manifest = Readonly<{
    version?: number;
    independentSegments?: boolean;
    targetDuration?: number;
    mediaSequence?: number;
    discontinuitySequence?: number;
    playlistType?: string;
    endList?: boolean;
    segments: readonly Segment[];
    playlists?: readonly Readonly<{
      uri: string;
      attributes: Readonly<Record<string, unknown>>;
    }>[];
    mediaGroups?: Readonly<{
      AUDIO: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
    }>;
  }>;

  export class Parser {
    readonly manifest: Manifest;
    on(type: 'warn' | 'error' | 'info', listener: (event: { message: string }) => void): void;
    push(text: string): void;
    end(): void;
  }
}
