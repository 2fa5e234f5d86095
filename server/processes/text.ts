// Turns output bytes into what a JSON message can carry: UTF-8 text cut between characters, or base64.

export type OutputPiece = { encoding: 'utf8' | 'base64'; data: string }

/** The most bytes of output in one message. */
export const pieceBytes = 64 << 10

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** How many bytes at the end begin a character that is not complete: 0 to 3. */
export function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}

/** One stream's output in order; the few bytes of a cut character wait for the next chunk. */
export class OutputText {
  #held: Buffer = Buffer.alloc(0)

  write(chunk: Buffer): OutputPiece[] {
    const whole = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    const pieces: OutputPiece[] = []
    let rest = whole
    while (rest.length > pieceBytes) {
      const cut = pieceBytes - incompleteTail(rest.subarray(0, pieceBytes))
      pieces.push(encodePiece(rest.subarray(0, cut)))
      rest = rest.subarray(cut)
    }
    const tail = incompleteTail(rest)
    this.#held = Buffer.from(rest.subarray(rest.length - tail))
    if (rest.length > tail) pieces.push(encodePiece(rest.subarray(0, rest.length - tail)))
    return pieces
  }

  end(): OutputPiece[] {
    const held = this.#held
    this.#held = Buffer.alloc(0)
    return held.length === 0 ? [] : [encodePiece(held)]
  }
}

function encodePiece(bytes: Buffer): OutputPiece {
  try {
    return { encoding: 'utf8', data: strict.decode(bytes) }
  } catch {
    return { encoding: 'base64', data: bytes.toString('base64') }
  }
}
