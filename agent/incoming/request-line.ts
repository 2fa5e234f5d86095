// The rule by which a connection that was open before the session is joined: a segment that begins with an HTTP/1 request line.

/** A request line that fills this much of a segment without an end goes on in the next one. */
const longTargetBytes = 512
const looked = 8192
const requestLine = /^[A-Z][A-Z-]{1,19} [^\s]+ HTTP\/1\.[01]\r?\n/
const cutRequestLine =
  /^(?:GET|HEAD|POST|PUT|DELETE|PATCH|OPTIONS) [^\s]+(?: (?:H(?:T(?:T(?:P(?:\/(?:1(?:\.(?:[01]\r?)?)?)?)?)?)?)?)?)?$/

/** Mostly the first byte decides, so that streams that are not HTTP cost nothing. */
export function beginsRequest(source: Uint8Array, from: number, to: number): boolean {
  const first = source[from]
  if (first === undefined || first < 0x41 || first > 0x5a) return false
  const text = Buffer.from(source.buffer, source.byteOffset + from, Math.min(to - from, looked)).toString(
    'latin1',
  )
  return requestLine.test(text) || (text.length >= longTargetBytes && cutRequestLine.test(text))
}
