// The agent's log: lines on standard error, which the server keeps.

export function log(text: string): void {
  process.stderr.write(`${text}\n`)
}
