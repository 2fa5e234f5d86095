// The files of a target that its forwards need: those by which it finds names, and its Unix sockets.
import { withPathInRoot } from '../linux/in-root.ts'
import { connectUnix } from '../linux/unix-socket.ts'
import type { PodFiles } from '../outgoing/pod-files.ts'
import { readNameFile } from './read-name-files.ts'

/** A hosts file of a pod has a few lines. */
const maxBytes = 1 << 20

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
    nameFile: path => checked(readNameFile(pid, path, { inPod, maxBytes })) ?? '',
    connectUnix: (path, options) =>
      path.startsWith('@')
        ? connectUnix(path, options)
        : withPathInRoot(pid, path, ownPath => connectUnix(checked(ownPath), options)),
  }
}
