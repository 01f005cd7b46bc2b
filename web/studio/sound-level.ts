/** How loud sound is, for a meter. Pure. */

/** By the root of the mean square: 0 is -60 dB and less, 1 is as loud as can be. */
export function levelOf(samples: Float32Array): number {
  const square = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
  const decibels = 10 * Math.log10(Math.max(1e-9, square));
  return Math.min(1, Math.max(0, 1 + decibels / 60));
}
