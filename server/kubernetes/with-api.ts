// A connection to a cluster for the length of one piece of work.
import type { Api } from './client/api.ts'
import { openApi } from './client/open.ts'
import type { Voice } from './client/voice.ts'
import type { ClusterChoice } from './cluster.ts'

export async function withApi<T>(
  choice: ClusterChoice,
  { log, tell, onStep }: Voice,
  work: (api: Api) => Promise<T>,
): Promise<T> {
  const api = await openApi(choice, { log, ...(tell && { tell }), ...(onStep && { onStep }) })
  try {
    return await work(api)
  } finally {
    api.close()
  }
}
