// Events of a list, over connections that end and fall silent.
import type { Log } from '../../log.ts'
import type { ApiRequest, KubeObject, WatchEvent } from './api.ts'
import type { Conversation } from './conversation.ts'

export async function* watchEvents<T extends KubeObject>(
  _conversation: Conversation,
  _request: ApiRequest & { silenceMs?: number },
  _log: Log,
): AsyncGenerator<WatchEvent<T>> {
  throw new Error('not built')
}
