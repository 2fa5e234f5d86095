// Sends the examples of schemas/rpc.md to a real server as a client would; what stands in them for something of this run is replaced.
import assert from 'node:assert/strict'
import type { RequestMessage } from '../../protocol/rpc/message.ts'
import { messages } from '../../protocol/rpc/messages.ts'
import type { RawServer } from './raw-server.ts'

/** Requests about a cluster alone: their examples are sent where there is one, by test/cluster/journeys/examples.test.ts. */
export const clusterMethods = ['listContexts', 'listNamespaces', 'cleanCluster'] as const

/** Methods that a side may send. */
export const methodsOf = (direction: 'clientToServer' | 'serverToClient'): string[] =>
  messages.filter(message => message.direction === direction).map(({ method }) => method)

const exampleOf = (method: string) => messages.find(message => message.method === method)!

export type Examples = {
  readonly sent: ReadonlySet<string>
  /** What stands in the examples, a text or a list of words joined by spaces, and what it is here. */
  readonly real: Map<string, unknown>
  /** Sends the example of a request; its answer has at least the fields that the example shows. */
  ask(method: string): Promise<Record<string, unknown> | null>
  tell(method: string): void
}

export function examplesFor(server: RawServer): Examples {
  const sent = new Set<string>()
  const real = new Map<string, unknown>()
  const paramsOf = (method: string) => replaced(exampleOf(method).example.params, real)
  return {
    sent,
    real,
    async ask(method) {
      sent.add(method)
      const { result, error } = await server.client.ask(method, paramsOf(method))
      assert.equal(error, undefined, `${method}: ${error?.message}`)
      const shown = (exampleOf(method) as RequestMessage<unknown, unknown>).example.result
      assert.deepEqual(
        Object.keys(shown ?? {}).filter(key => !(key in (result ?? {}))),
        [],
      )
      return result ?? null
    },
    tell(method) {
      sent.add(method)
      server.client.send({ method, params: paramsOf(method) })
    },
  }
}

/** The value with each text, and each list of words, that the map knows replaced. */
function replaced(value: unknown, by: ReadonlyMap<string, unknown>): unknown {
  const text = Array.isArray(value) ? value.join(' ') : value
  if (typeof text === 'string' && by.has(text)) return by.get(text)
  if (Array.isArray(value)) return value.map(each => replaced(each, by))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, replaced(each, by)]))
}
