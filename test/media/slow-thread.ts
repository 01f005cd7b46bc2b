/** The hostile thread, which starts when the file is there that `RIVULET_TEST_GATE` names. */

import { existsSync } from 'node:fs';

const gate = process.env.RIVULET_TEST_GATE ?? '';
const pause = new Int32Array(new SharedArrayBuffer(4));
while (!existsSync(gate)) Atomics.wait(pause, 0, 0, 5);
await import('./hostile-thread.ts');
