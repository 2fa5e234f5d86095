// Whether bytes begin an HTTP/1 request line or status line, as far as they are there.

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: a request target (a path, a URL, an authority or *) holds no space and no control character.
const target = /^(?:[/*A-Za-z0-9[][^\x00-\x20\x7f]*)?$/
const versions = ['HTTP/1.1', 'HTTP/1.0']
/** Enough to see method and version of all but absurd request lines. */
const lookBytes = 16 << 10

/**
 * Whether these bytes begin with an HTTP/1 request line, RFC 9112 section 3: whole, or cut by the end of the bytes within the target or
 * later. Says no to less than a method, a space and the first byte of a target: it errs on the side of no.
 */
export function beginsRequestLine(bytes: Buffer): boolean {
  const line = firstLine(bytes.toString('latin1', 0, lookBytes))
  if (!couldBeRequestLine(line.text)) return false
  const [, path = '', version] = line.text.split(' ')
  return path !== '' && (!line.whole || versions.includes(version ?? ''))
}

/** Whether these bytes begin with the version and status code of an HTTP/1 response, RFC 9112 section 4. */
export function beginsStatusLine(bytes: Buffer): boolean {
  return /^HTTP\/1\.[01] [1-9]\d\d[ \r]/.test(bytes.toString('latin1', 0, 13))
}

/** Whether this text, which may be cut anywhere, can be the start of a request line (or of more that begins with one). */
export function couldBeRequest(text: string): boolean {
  return couldBeRequestLine(firstLine(text).text)
}

/** The same for a status line. */
export function couldBeResponse(text: string): boolean {
  const [version = '', status, ...reason] = firstLine(text).text.split(' ')
  if (status === undefined) return versions.some(known => known.startsWith(version))
  return (
    versions.includes(version) && /^\d{0,3}$/.test(status) && (reason.length === 0 || status.length === 3)
  )
}

function couldBeRequestLine(line: string): boolean {
  const [method = '', path, version, ...more] = line.split(' ')
  if (!token.test(method) || more.length > 0) return false
  if (path !== undefined && !target.test(path)) return false
  return version === undefined || (path !== '' && versions.some(known => known.startsWith(version)))
}

function firstLine(text: string): { text: string; whole: boolean } {
  const end = text.indexOf('\r')
  return end === -1 ? { text, whole: false } : { text: text.slice(0, end), whole: true }
}
