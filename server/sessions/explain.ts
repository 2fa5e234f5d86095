// The answer of explainConnect, for a session that runs or for one that a configuration would make.
import type * as t from 'io-ts'
import type { SessionConfig } from '../../protocol/config.ts'
import type { explainConnect } from '../../protocol/rpc/explain.ts'
import { type Circumstances, type Explained, explain } from '../outgoing/explain.ts'
import { LearnedNames } from '../outgoing/learned-names.ts'
import { loadConfig } from './config.ts'
import { outgoingRulesOf } from './outgoing-rules.ts'
import { portRules, wantedProcessPorts } from './ports.ts'

type Params = t.TypeOf<(typeof explainConnect)['params']>

export async function explainFor(
  params: Params,
  find: (sessionId: string) => { circumstances: Circumstances },
): Promise<Explained> {
  const { sessionId, ...question } = params
  return explain(
    question,
    sessionId === undefined ? circumstancesOf(await loadConfig(params)) : find(sessionId).circumstances,
  )
}

/** Of the pod's ports only those are known that the configuration names. */
function circumstancesOf(config: SessionConfig): Circumstances {
  const rules = outgoingRulesOf(config)
  const wanted = wantedProcessPorts(portRules(config), [])
  return {
    rules,
    names: new LearnedNames(rules.filter, async () => {}),
    isWanted: port => wanted.includes(port),
    substitutes: new Map(),
    isNameserver: () => false,
    isPodAddress: () => false,
    hasListened: () => false,
  }
}
