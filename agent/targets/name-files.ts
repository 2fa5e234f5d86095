// The files by which a target's processes find names: what they hold, and why one cannot be read.
import type { TargetFacts } from '../../protocol/agent/control.ts'

export type NameFiles = TargetFacts['nameFiles']

const paths = { resolvConf: '/etc/resolv.conf', hosts: '/etc/hosts' } as const
/** Both travel with the other facts in one control frame. */
const maxBytes = 128 << 10

/** `textOf` reads at most so many bytes, gives nothing for a file that is missing, which reads as none, and throws with the errno as `code`. */
export function nameFilesBy(textOf: (path: string, maxBytes: number) => string | undefined): NameFiles {
  const files: NameFiles = { notices: [] }
  for (const [name, path] of Object.entries(paths) as [keyof typeof paths, string][]) {
    try {
      const text = textOf(path, maxBytes + 1)
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

function wholeLines(text: string): string {
  return text.length > maxBytes ? text.slice(0, text.lastIndexOf('\n', maxBytes) + 1) : text
}
