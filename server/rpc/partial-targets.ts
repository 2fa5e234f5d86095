// Sends the targets of listTargets as they are found, in small batches, to a client that asked for partial results.
import { progress } from '../../protocol/rpc/lifecycle.ts'
import type { Target } from '../../protocol/rpc/targets.ts'
import type { Client } from './client.ts'

const batchMs = 20

type Found = { targets: Target[]; warnings: string[] }

export function partialTargets(client: Client, token: string | number | undefined) {
  let batch: Target[] = []
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (token === undefined || batch.length === 0) return
    client.notify(progress, { token, value: { targets: batch } })
    batch = []
  }
  return {
    add(target: Target): void {
      if (token === undefined) return
      batch.push(target)
      timer ??= setTimeout(flush, batchMs)
    },
    /** As LSP rules: what was sent in parts is not in the result again. */
    finish(found: Found): Found {
      flush()
      return token === undefined ? found : { ...found, targets: [] }
    },
    /** Nothing may follow the answer. */
    stop: () => clearTimeout(timer),
  }
}
