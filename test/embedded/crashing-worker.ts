/** Run by a test as a worker: does what its environment says. */

import { appendFileSync } from 'node:fs';

const { MODE, PIDS = '' } = process.env;
if (MODE === 'stubborn') process.on('SIGTERM', () => {});
if (MODE === 'orderly') process.on('SIGTERM', () => setTimeout(() => process.exit(0), 100));
// Written last: the test may send signals from now on.
appendFileSync(PIDS, `${process.pid}\n`);
if (MODE === 'crash') process.exit(7);
if (MODE === 'done') process.exit(0);
setInterval(() => {}, 1_000);
