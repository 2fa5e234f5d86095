// What of the target's files its forwards need: those by which it finds names, and its Unix sockets.
import { withPathInRoot } from '../linux/in-root.ts'
import { readNameFile } from './name-files.ts'

export type PodFiles = {
  /** A file by which names are looked up, as it is at the moment; "" if there is none. Throws with the `code` of the errno. */
  nameFile(path: '/etc/hosts' | '/etc/resolv.conf'): string
  /** While `use` runs, its argument is a path of this process for what the target sees at `path`. Throws with the `code` of the errno. */
  withPath<T>(path: string, use: (ownPath: string) => T): T
}

/** `isEnded` is asked after a file was opened, when it can be another process's that has the same pid. */
export function podFiles(
  { pid, inPod = false }: { pid: number | 'self'; inPod?: boolean },
  isEnded: () => boolean = () => false,
): PodFiles {
  const checked = <T>(value: T): T => {
    if (isEnded())
      throw Object.assign(new Error('Cannot open a file of the target: it ended'), { code: 'ESRCH' })
    return value
  }
  return {
    nameFile: path => checked(readNameFile(pid, path, { inPod })) ?? '',
    withPath: (path, use) => withPathInRoot(pid, path, ownPath => use(checked(ownPath))),
  }
}
