// Reads the files by which the processes of a target find names.
import { readInRoot } from '../linux/in-root.ts'
import { type NameFiles, nameFilesBy } from './name-files.ts'

/** All containers of a pod have the same two files, so that our own do where the target's may not be read. */
export function readNameFiles(pid: number | 'self', { inPod }: { inPod: boolean }): NameFiles {
  return nameFilesBy((path, maxBytes) => readNameFile(pid, path, { inPod, maxBytes }))
}

/** Undefined if it is missing. Throws with the `code` of the errno. */
export function readNameFile(
  pid: number | 'self',
  path: string,
  options: { inPod: boolean; maxBytes: number },
): string | undefined {
  try {
    return readInRoot(pid, path, options.maxBytes).toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (options.inPod && pid !== 'self') return readNameFile('self', path, options)
    throw error
  }
}
