// DNS messages as a connection carries them: each after its length, two bytes in network order (RFC 1035, 4.2.2).

/** Takes the bytes of a connection as they come, and calls `message` for each whole one. */
export function splitMessages(message: (bytes: Buffer) => void): (part: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return part => {
    rest = rest.length === 0 ? part : Buffer.concat([rest, part])
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0)
      const whole = rest.subarray(2, end)
      rest = rest.subarray(end)
      message(whole)
    }
  }
}

export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
