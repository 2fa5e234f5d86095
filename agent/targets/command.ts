// How a process is shown: the name of its program, and its command line as one line of text.

const shownCharacters = 200

/** Reads /proc/PID/cmdline; a program that set a title ("nginx: master process") leaves one text instead of arguments. */
export function parseCommand(
  bytes: Buffer,
  fallback: string,
): { name: string; command: string; argv: string[] } {
  const argv = bytes.toString('utf8').replace(/\0+$/, '').split('\0')
  // What a program calls itself is its own choice: control characters must not reach a terminal.
  const line = argv
    .join(' ')
    .replace(/[\p{Cc}\u2028\u2029]/gu, ' ')
    .trim()
  const program = line.split(' ')[0] ?? ''
  const name = (argv.length > 1 ? (argv[0] ?? '') : program).replace(/[\p{Cc}]/gu, ' ')
  const base = name.slice(name.lastIndexOf('/') + 1).replace(/:$/, '')
  return { name: base || fallback, command: line.slice(0, shownCharacters) || fallback, argv }
}
