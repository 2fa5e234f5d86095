// Reads what is to be forwarded from its words on the command line; pure, refusals show the word and how to write it.
import { isIPv6 } from 'node:net'
import { Failure } from '../../protocol/errors.ts'
import { forwardFaults } from '../../protocol/forward-faults.ts'
import type { LocalEnd, PodEnd } from '../../protocol/rpc/port-ends.ts'
import { absolute } from './session-options.ts'

export type ForwardSpec = { local: LocalEnd; remote: PodEnd }
export type ReverseSpec = { podPort: number; localPort: number }

/** `folder` is where a relative path of a Unix socket begins. */
export function forwardSpec(word: string, folder: string): ForwardSpec {
  if (/^\d+$/.test(word)) return { local: { port: portOf(word, word) }, remote: itself(word, word) }
  const [, near, far] = /^([./][^:]*|\d*):(.+)$/.exec(word) ?? []
  if (near === undefined || far === undefined)
    throw usage(`"${word}" is not understood; write LOCAL:HOST:PORT, as in 5432:postgres:5432`)
  const spec = { local: localOf(near, word, folder), remote: farOf(far, word) }
  const [fault] = forwardFaults(spec)
  if (fault !== undefined) throw usage(`"${word}" has no usable ${ends[fault.field]}: ${fault.what}`)
  return spec
}

const ends = {
  'local.port': 'local port',
  'local.path': 'path of a local socket',
  'remote.path': 'socket of the target',
  'remote.host': 'host',
} as const

/** Each place here, and each port of the target that is mirrored, can be taken once. */
export function refuseTwice(forwards: readonly ForwardSpec[], reverses: readonly ReverseSpec[]): void {
  const places = forwards.map(({ local }) => ('path' in local ? local.path : local.port)).filter(Boolean)
  const place = twice<string | number>(places)
  if (place !== undefined)
    throw usage(
      `${typeof place === 'number' ? `local port ${place}` : `"${place}"`} is named twice; take another`,
    )
  const port = twice(reverses.map(({ podPort }) => podPort))
  if (port !== undefined)
    throw usage(`--reverse names port ${port} of the target twice; it is mirrored to one port`)
}

const twice = <T>(values: readonly T[]): T | undefined =>
  values.find((value, index) => values.indexOf(value) !== index)

export function reverseSpec(word: string): ReverseSpec {
  const [pod = '', local = pod, ...rest] = word.split(':')
  if (rest.length > 0) throw usage(`--reverse takes PORT:LOCAL, as in 8080:3000, not "${word}"`)
  return { podPort: portOf(pod, word), localPort: portOf(local, word) }
}

function localOf(near: string, word: string, folder: string): LocalEnd {
  if (/^[./]/.test(near)) return { path: absolute(near, folder) }
  return { port: near === '' || Number(near) === 0 ? 0 : portOf(near, word) }
}

function farOf(far: string, word: string): PodEnd {
  if (/^[/@]/.test(far)) return { path: far }
  if (/^\d+$/.test(far)) return itself(far, word)
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d+)$/.exec(far) ?? []
  const host = bracketed ?? plain
  if (host === undefined || port === undefined)
    throw usage(
      isIPv6(far.replace(/:\d+$/, ''))
        ? `"${word}" has an IPv6 address; write it in brackets, as in 8443:[fd00::1]:443`
        : `"${word}" does not end with HOST:PORT, PORT or the path of a Unix socket, as in 5432:postgres:5432`,
    )
  if (bracketed !== undefined && !isIPv6(bracketed))
    throw usage(`"${word}" has no IPv6 address in its brackets`)
  return { host, port: portOf(port, word) }
}

/** A port of the target itself. */
function itself(port: string, word: string): PodEnd {
  return { host: 'localhost', port: portOf(port, word) }
}

function portOf(text: string, word: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw usage(`"${word}" has "${text}" for a port; ports go from 1 to 65535`)
  return port
}

function usage(reason: string): Failure {
  return new Failure('usage-wrong', { reason, help: 'standin help forward' })
}
