// Asks whether the API server answers at all.
import { Failure } from '../../../protocol/errors.ts'
import { type Api, StatusError } from '../client/api.ts'

const withinMs = 10_000
const unreachable = new Set([
  'cluster-refused',
  'cluster-silent',
  'cluster-name-unknown',
  'cluster-proxy-failed',
])

/** Whether the API server answered anything, a refusal included, within 10 s; never rejects. */
export async function reachable(api: Api): Promise<boolean> {
  try {
    await api.request({
      path: '/version',
      timeoutMs: withinMs,
      signal: AbortSignal.timeout(withinMs),
      asks: { verb: 'get', resource: 'version' },
    })
    return true
  } catch (error) {
    if (error instanceof StatusError) return true
    return error instanceof Failure && !unreachable.has(error.kind)
  }
}
