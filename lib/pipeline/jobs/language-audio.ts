/** The kind of job that makes the AAC frames of one segment of a language that is uploaded on its own. */

import { type JobKind, parseSegmentJob, type SegmentJob } from './job-kind.ts';
import { transcode } from './transcode.ts';

export const languageAudio: JobKind<SegmentJob> = {
  name: 'language-audio',
  class: 'live',
  // A queue counts messages and takes the mean of its kinds: with the few per cent that it is, each
  // transcode would count for half.
  weight: 1,
  // For a bounded time: then the language is silent.
  blocksPublishing: true,
  schema: { parse: parseSegmentJob },
  run: transcode.run,
  giveUp: transcode.giveUp,
};
