// Cuts lines from the output of a program or a socket, with a bound on how long a line may be.

export class LineReader {
  #pending: Buffer[] = []
  #pendingBytes = 0

  constructor(readonly maxLineBytes: number) {}

  /** The lines that are complete with this chunk, without their ends. Throws when a line is too long. */
  read(chunk: Buffer): string[] {
    const lines: string[] = []
    let rest = chunk
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      lines.push(Buffer.concat([...this.#pending, rest.subarray(0, end)]).toString('utf8'))
      this.#pending = []
      this.#pendingBytes = 0
      rest = rest.subarray(end + 1)
    }
    if (rest.length > 0) this.#pending.push(rest)
    this.#pendingBytes += rest.length
    if (this.#pendingBytes > this.maxLineBytes)
      throw new Error(`a line of more than ${this.maxLineBytes} bytes`)
    return lines
  }
}
