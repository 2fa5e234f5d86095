// Makes the files of an image out of Debian packages, without installing any of them on this machine.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run.ts'

// Wanted by maintainer scripts, which do not run here, or only for people at a terminal.
const unneeded =
  /^(perl|libperl.*|perl-.*|lib.*-perl|dpkg|tar|passwd|adduser|debconf|usrmerge|init-system-helpers|sysvinit-utils|lsb-base|libpam-.*|libsemanage.*|libsepol2|libaudit-common|sensible-utils|ucf|ssl-cert|openssl|locales|libc-l10n|libllvm.*|libz3-4|iproute2|libbpf1|libelf1|libxtables12|libcap2-bin|libmnl0|postgresql-common|postgresql-client-common|readline-common|.*-doc|libdb5.3|libgdbm.*|media-types)$/

// Pages for people, and code for compilers that the images have not: half of the files.
const unread = [
  ...['doc', 'man', 'locale', 'info', 'lintian', 'bug', 'postgresql-common'].map(name => `usr/share/${name}`),
  'usr/lib/x86_64-linux-gnu/gconv',
  'usr/lib/postgresql/15/lib/bitcode',
]

/** Unpacks the packages and all they depend on under `root`, and holds that `programs` find every library there. */
export async function unpackPackages(
  root: string,
  packages: readonly string[],
  programs: readonly string[],
): Promise<void> {
  const plan = await closureOf(packages)
  const closure = [...plan.matchAll(/^Inst (\S+)/gm)]
    .map(match => match[1]!)
    .filter(name => !unneeded.test(name))
  const downloads = mkdtempSync(join(tmpdir(), 'standin-packages-'))
  try {
    // The sandbox user of apt could not write to our folder.
    await run('apt-get', ['download', '-q', '-o', 'APT::Sandbox::User=root', ...closure], {
      cwd: downloads,
      timeoutMs: 300_000,
    })
    for (const name of ['bin', 'sbin', 'lib', 'lib64']) {
      mkdirSync(join(root, 'usr', name), { recursive: true })
      symlinkSync(`usr/${name}`, join(root, name))
    }
    const unpack =
      'for p in *.deb; do dpkg-deb --fsys-tarfile "$p" | tar -x --keep-directory-symlink -C "$1"; done'
    await run('bash', ['-eo', 'pipefail', '-c', unpack, 'bash', root], { cwd: downloads, timeoutMs: 120_000 })
  } finally {
    rmSync(downloads, { recursive: true, force: true })
  }
  for (const name of unread) rmSync(join(root, name), { recursive: true, force: true })
  // The image's own loader lists what each program loads, and fails by name where a package is missing.
  for (const program of programs)
    await run('chroot', [root, '/lib64/ld-linux-x86-64.so.2', '--list', program])
}

// An empty list of installed packages makes apt name the whole closure.
async function closureOf(packages: readonly string[]): Promise<string> {
  const simulation = [
    'install',
    '-s',
    '--no-install-recommends',
    '-o',
    'Dir::State::status=/dev/null',
    ...packages,
  ]
  return run('apt-get', simulation).catch(async () => {
    // A fresh machine has no list of what there is.
    await run('apt-get', ['update', '-q'], { timeoutMs: 300_000 })
    return run('apt-get', simulation)
  })
}
