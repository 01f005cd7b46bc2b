/** Run by a test as a process of its own: raises a shared counter a number of times. */

import { openDataFolder } from '../../lib/embedded/data-folder.ts';
import { embeddedPorts } from '../../lib/embedded/embedded-ports.ts';

const [folder = '', times = '0'] = process.argv.slice(2);
const ports = embeddedPorts(openDataFolder(folder));

for (let done = 0; done < Number(times); ) {
  const item = await ports.store.get('shared', 'counter');
  const value = Number(item?.value ?? 0) + 1;
  const expect = item?.version ?? 0;
  const write = { type: 'put', partition: 'shared', sort: 'counter', value, expect } as const;
  if (await ports.store.write([write])) done += 1;
}
ports.close();
