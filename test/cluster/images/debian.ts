// Makes the files of an image out of Debian packages, without installing any of them on this machine.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../run.ts'

// Wanted by maintainer scripts, which do not run here, or only for people at a terminal.
const unneeded =
  /^(perl|libperl|perl-.*|lib.*-perl|dpkg|tar|passwd|adduser|debconf|usrmerge|init-system-helpers|sysvinit-utils|lsb-base|libpam.*|libsemanage.*|libsepol2|libaudit.*|sensible-utils|ucf|ssl-cert|openssl|locales|libc-l10n|libllvm.*|libz3-4|iproute2|libbpf1|libelf1|libxtables12|libcap2-bin|libmnl0|postgresql-common|postgresql-client-common|readline-common|.*-doc|libdb5.3|libgdbm.*|media-types)$/

const unread = ['doc', 'man', 'locale', 'info', 'lintian', 'bug', 'postgresql-common']

/** Unpacks the packages and all they depend on under `root`, and holds that `programs` find every library there. */
export async function unpackPackages(
  root: string,
  packages: readonly string[],
  programs: readonly string[],
): Promise<void> {
  // An empty list of installed packages makes apt name the whole closure.
  const plan = await run('apt-get', [
    'install',
    '-s',
    '--no-install-recommends',
    '-o',
    'Dir::State::status=/dev/null',
    ...packages,
  ])
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
  for (const name of unread) rmSync(join(root, 'usr/share', name), { recursive: true, force: true })
  for (const program of programs) await holdLibraries(root, program)
}

async function holdLibraries(root: string, program: string): Promise<void> {
  const listed = await run('chroot', [root, '/lib64/ld-linux-x86-64.so.2', '--list', program])
  const missing = [...listed.matchAll(/(\S+) => not found/g)].map(match => match[1])
  if (missing.length > 0)
    throw new Error(`Cannot make an image with "${program}": its packages lack ${missing.join(', ')}`)
}

/** Debian keeps the programs of each PostgreSQL version apart; gives the folder of the one that was unpacked. */
export const postgresFolder = (root: string): string =>
  join('/usr/lib/postgresql', readdirSync(join(root, 'usr/lib/postgresql'))[0]!, 'bin')
