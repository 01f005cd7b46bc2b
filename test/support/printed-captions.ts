import assert from 'node:assert/strict';
import { captionFile } from '../../lib/pipeline/view/captions/caption-file.ts';
import { CaptionLogs } from '../../lib/pipeline/view/captions/caption-logs.ts';
import type { TestEngine } from './engine.ts';

/** The WebVTT file of a track, which is printed as it is asked for. */
export async function printedCaptions(
  deps: TestEngine['deps'],
  videoId: string,
  track: string,
): Promise<string> {
  const file = await captionFile(deps, new CaptionLogs(deps), videoId, track, 'vtt');
  return typeof file === 'string' ? file : assert.fail(`It is ${file.type}.`);
}
