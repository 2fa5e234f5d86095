// A root folder of its own for a stand-in pod, with files that are only there, so that "/etc/hosts" is another one than this machine's.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export type OwnRoot = {
  /** What startPod takes: prints "listening" and waits in that root. */
  readonly command: readonly [string, ...string[]]
  /** Where a file of the root is on this machine. */
  outside(path: string): string
  write(path: string, text: string): void
  /** A link as the pod sees it. */
  link(path: string, to: string): void
  remove(): void
}

export function makeOwnRoot(): OwnRoot {
  const folder = mkdtempSync(join(tmpdir(), 'own-root-'))
  const outside = (path: string) => join(folder, path)
  const place = (path: string) => {
    mkdirSync(dirname(outside(path)), { recursive: true })
    return outside(path)
  }
  copyFileSync('/bin/busybox', place('/busybox'))
  return {
    command: ['chroot', folder, '/busybox', 'sh', '-c', 'echo listening; exec /busybox sleep 100000'],
    outside,
    write: (path, text) => writeFileSync(place(path), text),
    link: (path, to) => symlinkSync(to, place(path)),
    remove: () => rmSync(folder, { recursive: true }),
  }
}
