// What of the target's files its forwards need: those by which it finds names, and its Unix sockets.
import { withPathInRoot } from '../linux/in-root.ts'
import { type NameFiles, readNameFiles } from './name-files.ts'

export type PodFiles = {
  /** As they are at the moment. Throws with code ESRCH when the target has ended. */
  nameFiles(): Pick<NameFiles, 'hosts' | 'resolvConf'>
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
    nameFiles: () => checked(readNameFiles(pid, { inPod })),
    withPath: (path, use) => withPathInRoot(pid, path, ownPath => use(checked(ownPath))),
  }
}
