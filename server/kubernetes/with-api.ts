// A connection to a cluster for the length of one piece of work.
import type { Log } from '../log.ts'
import type { Api } from './client/api.ts'
import { openApi } from './client/open.ts'
import type { ClusterChoice } from './cluster.ts'

export async function withApi<T>(
  choice: ClusterChoice,
  { log }: { log: Log },
  work: (api: Api) => Promise<T>,
): Promise<T> {
  const api = await openApi(choice, { log })
  try {
    return await work(api)
  } finally {
    api.close()
  }
}
