// Cuts a log into lines; one that is too long for memory comes in pieces instead of failing.
const mostLineBytes = 64 << 10

export class LogLines {
  #pending: Buffer = Buffer.alloc(0)

  /** The lines that are complete with this chunk. */
  read(chunk: Buffer): string[] {
    const lines: string[] = []
    let rest = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    for (;;) {
      const end = rest.indexOf(10)
      const cut = end >= 0 && end <= mostLineBytes ? end : rest.length > mostLineBytes ? mostLineBytes : -1
      if (cut < 0) break
      lines.push(rest.toString('utf8', 0, cut))
      rest = rest.subarray(cut === end ? cut + 1 : cut)
    }
    this.#pending = rest
    return lines
  }

  /** What came after the last line's end. */
  end(): string[] {
    return this.#pending.length === 0 ? [] : [this.#pending.toString()]
  }
}
