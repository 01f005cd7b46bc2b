/** How ffmpeg is given a file that may be hostile. */

/**
 * ffmpeg neither guesses the demuxer nor opens anything but the file, whatever stands in it. However much
 * of the input is damaged, the rest is used: by itself it fails when two thirds are.
 */
export const inputArgs = (
  format: string,
  path: string,
  options: readonly string[] = [],
): string[] => [
  ...['-max_error_rate', '1', ...options],
  ...['-protocol_whitelist', 'file', '-f', format, '-i', path],
];
