/** What an owner pastes to send to a stream. Pure. */

/** Stands where the key goes, which nobody has but who was shown it. */
export const KEY_PLACEHOLDER = 'UPLOAD_KEY';

export type PushTarget = Readonly<{
  /** Of the server: `https://host`. */
  origin: string;
  videoId: string;
  uploadKey?: string | undefined;
}>;

export type PushCommands = Readonly<{
  ffmpeg: string;
  encoder: string;
  obsUrl: string;
  obsMuxer: string;
  /** With the key in its fragment, which browsers send to nobody. */
  studio: string;
}>;

/** Ids and keys are of letters, digits, `-` and `_`: shells take them as they are. */
export function pushCommands({ origin, videoId, uploadKey }: PushTarget): PushCommands {
  const key = uploadKey ?? KEY_PLACEHOLDER;
  const playlist = `${origin.replace('://', `://x:${key}@`)}/upload/${videoId}/live.m3u8`;
  const studioKey = uploadKey === undefined ? '' : `&key=${uploadKey}`;
  return {
    ffmpeg: [
      'ffmpeg -re -i INPUT -c:v libx264 -preset veryfast -pix_fmt yuv420p -g 60 -c:a aac \\',
      `  -f hls -hls_time 2 -method PUT ${playlist}`,
    ].join('\n'),
    encoder: [
      `RIVULET_KEY=${key} npm run encoder -- INPUT \\`,
      `  --to ${origin} --stream ${videoId}`,
    ].join('\n'),
    obsUrl: playlist,
    obsMuxer: 'method=PUT hls_time=2',
    studio: `${origin}/studio#stream=${videoId}${studioKey}`,
  };
}
