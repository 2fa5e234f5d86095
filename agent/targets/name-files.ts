// The files by which a target's processes find names: what they hold, and why one cannot be read.
import type { TargetFacts } from '../../protocol/agent/control.ts'
import { readInRoot } from '../linux/in-root.ts'

export type NameFiles = TargetFacts['nameFiles']

const paths = { resolvConf: '/etc/resolv.conf', hosts: '/etc/hosts' } as const
/** Both travel with the other facts in one control frame. */
const maxBytes = 128 << 10

/** All containers of a pod have the same two files, so that our own do where the target's may not be read. A missing one reads as none. */
export function readNameFiles(pid: number | 'self', { inPod }: { inPod: boolean }): NameFiles {
  const files: NameFiles = { notices: [] }
  for (const [name, path] of Object.entries(paths) as [keyof typeof paths, string][]) {
    try {
      const text = textOf(pid, path, inPod)
      if (text === undefined) continue
      const whole = wholeLines(text)
      files[name] = whole
      if (whole.length < text.length)
        files.notices.push(
          `The target's ${path} is too long; the process gets its first ${whole.length} bytes`,
        )
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      files.notices.push(`The target's ${path} cannot be read (${code}), so the process gets none`)
    }
  }
  return files
}

function textOf(pid: number | 'self', path: string, inPod: boolean): string | undefined {
  try {
    return readInRoot(pid, path, maxBytes + 1).toString('utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (inPod && pid !== 'self') return textOf('self', path, inPod)
    throw error
  }
}

function wholeLines(text: string): string {
  return text.length > maxBytes ? text.slice(0, text.lastIndexOf('\n', maxBytes) + 1) : text
}
