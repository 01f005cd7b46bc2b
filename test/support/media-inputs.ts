/** Arguments of ffmpeg: a moving picture of so many seconds. */
export const picture = (seconds: number, rate = '30000/1001'): string[] => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=320x180:r=${rate}:d=${seconds}`],
];
/** A tone. */
export const sound = (seconds: number, hz = 440, rate = 48_000): string[] => [
  ...['-f', 'lavfi', '-i', `sine=f=${hz}:r=${rate}:d=${seconds}`],
];
/** With B-frames, and a keyframe every thirty frames alone. */
export const h264 = (...more: string[]): string[] => [
  ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '30', '-sc_threshold', '0'],
  ...more,
];
