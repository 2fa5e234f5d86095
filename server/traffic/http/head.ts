// The head of an HTTP/1 message as text, read strictly: what two readers could read differently is refused.

export type Header = [name: string, value: string]
export type RequestHead = {
  kind: 'request'
  method: string
  path: string
  version: string
  headers: Header[]
}
export type ResponseHead = {
  kind: 'response'
  status: number
  reason: string
  version: string
  headers: Header[]
}

/** The largest head that is read, start line and empty line included. */
export const maxHeadBytes = 64 << 10

// biome-ignore lint/suspicious/noControlCharactersInRegex: a request target (a path, a URL, an authority or *) holds no space and no control character.
const requestLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([/*A-Za-z0-9[][^\x00-\x20\x7f]*) HTTP\/(1\.[01])$/
const statusLine = /^HTTP\/(1\.[01]) ([1-9]\d\d)(?: ([\t\x20-\x7e\x80-\xff]*))?$/
/** RFC 9110 section 5.5: no space before the colon, no line folding, no control character but the tab. */
const headerLine =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*((?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?)[\t ]*$/

/** Reads a request's head (latin1, without its empty line); undefined when it is not exactly one. */
export function readRequestHead(text: string): RequestHead | undefined {
  const lines = text.split('\r\n')
  const start = requestLine.exec(lines[0] ?? '')
  const headers = readHeaders(lines)
  if (start === null || headers === undefined) return undefined
  const [, method = '', path = '', version = ''] = start
  return { kind: 'request', method, path, version, headers }
}

/** The same for a response's head. */
export function readResponseHead(text: string): ResponseHead | undefined {
  const lines = text.split('\r\n')
  const start = statusLine.exec(lines[0] ?? '')
  const headers = readHeaders(lines)
  if (start === null || headers === undefined) return undefined
  const [, version = '', status = '', reason = ''] = start
  return { kind: 'response', status: Number(status), reason, version, headers }
}

/** Whether this is a line that a trailer section may hold. */
export function isHeaderLine(line: string): boolean {
  return headerLine.test(line)
}

/** All values of a header, in order. */
export function valuesOf(headers: readonly Header[], name: string): string[] {
  return headers
    .filter(([given]) => given.length === name.length && given.toLowerCase() === name)
    .map(([, v]) => v)
}

function readHeaders(lines: readonly string[]): Header[] | undefined {
  const headers: Header[] = []
  for (let index = 1; index < lines.length; index++) {
    const line = headerLine.exec(lines[index] ?? '')
    if (line === null) return undefined
    headers.push([line[1] ?? '', line[2] ?? ''])
  }
  return headers
}
