// The handler of every message that clients send.
import { constants } from 'node:os'
import { Failure } from '../../protocol/errors.ts'
import * as explaining from '../../protocol/rpc/explain.ts'
import * as kubernetes from '../../protocol/rpc/kubernetes.ts'
import * as lifecycle from '../../protocol/rpc/lifecycle.ts'
import * as processes from '../../protocol/rpc/processes.ts'
import * as sessions from '../../protocol/rpc/sessions.ts'
import * as targets from '../../protocol/rpc/targets.ts'
import * as traffic from '../../protocol/rpc/traffic.ts'
import { version } from '../../protocol/version.ts'
import { orAborted } from '../deadline.ts'
import { loadConfig, targetOf, withConfig } from '../sessions/config.ts'
import { explainFor } from '../sessions/explain.ts'
import { describe } from '../targets/describe.ts'
import { list } from '../targets/list.ts'
import { beginProgress } from './client.ts'
import { answer, type Handler, take } from './handler.ts'
import { partialTargets } from './partial-targets.ts'
import { portHandlers } from './port-handlers.ts'
import type { ServerState } from './state.ts'

type S = ServerState

const lifecycleHandlers: Handler<S>[] = [
  answer(lifecycle.initialize, async (server: S, { processId, trace, token }) => {
    server.checkToken(token)
    if (typeof processId === 'number') server.watchClient(processId)
    if (trace !== undefined) server.setTrace(trace)
    const support = await server.hookSupport()
    return {
      serverInfo: { name: 'standin', version },
      capabilities: {
        methods: [...handledMethods],
        hooks: support.hooks,
        ...(support.hooks ? {} : { hooksReason: support.failure.message }),
      },
    }
  }),
  take(lifecycle.initialized, () => {}),
  answer(lifecycle.shutdown, async (server: S) => {
    await server.shutDown()
    return null
  }),
  take(lifecycle.exit, (server: S) => server.exit()),
  take(lifecycle.cancelRequest, (server: S, { id }) => server.cancel(id)),
  take(lifecycle.setTrace, (server: S, { value }) => server.setTrace(value)),
]

/** Where work that answers a request says what the client should know. */
function voiceOf({ log, client }: S) {
  return { log, tell: client.show }
}

const targetHandlers: Handler<S>[] = [
  answer(targets.listTargets, async (server: S, params, { signal }) => {
    const progress = beginProgress(server.client, params.workDoneToken, 'Looking for targets')
    const parts = partialTargets(server.client, params.partialResultToken)
    try {
      const found = await list(params, {
        signal,
        ...voiceOf(server),
        onStep: progress.report,
        onPart: target => parts.add(target),
      })
      return parts.finish(found)
    } finally {
      parts.stop()
      progress.end(signal.aborted ? 'cancelled' : 'done')
    }
  }),
  answer(targets.describeTarget, (server: S, params, { signal }) =>
    describe(params, { signal, ...voiceOf(server) }),
  ),
]

/** The Kubernetes room is large, and loaded by whoever first asks for it. */
const clusterHandlers: Handler<S>[] = [
  answer(kubernetes.listContexts, async (_: S, { kubeconfig }) => {
    const { listContexts } = await import('../kubernetes/client/contexts.ts')
    return listContexts(kubeconfig)
  }),
  answer(kubernetes.listNamespaces, async (server: S, params, { signal }) => {
    const { withApi } = await import('../kubernetes/with-api.ts')
    const { listNamespaces } = await import('../kubernetes/client/namespaces.ts')
    return withApi(await withConfig(params), voiceOf(server), api => listNamespaces(api, signal))
  }),
  answer(kubernetes.cleanCluster, async (server: S, params, { signal }) => {
    const { withApi } = await import('../kubernetes/with-api.ts')
    const { cleanCluster } = await import('../kubernetes/clean.ts')
    const question = await withConfig(params)
    return withApi(question, voiceOf(server), api => cleanCluster(api, { ...question, signal }))
  }),
]

const sessionHandlers: Handler<S>[] = [
  answer(sessions.startSession, async (server: S, params, { signal }) => {
    const config = await loadConfig(params)
    signal.throwIfAborted()
    const target = targetOf(config)
    const session = server.sessions.add(target, config)
    const progress = beginProgress(server.client, params.workDoneToken, `Attaching to ${target}`)
    let outcome = 'failed'
    try {
      const started = await session.start(signal, progress.report)
      outcome = 'running'
      return started
    } finally {
      progress.end(signal.aborted ? 'cancelled' : outcome)
    }
  }),
  answer(sessions.stopSession, async (server: S, { sessionId }, { signal }) => {
    // An end that has begun cannot be undone: cancelled, it goes on without anybody waiting.
    await orAborted(server.sessions.get(sessionId).end('stopped', 'stopped by the client'), signal)
    return null
  }),
  answer(sessions.listSessions, (server: S) => ({ sessions: server.sessions.list() })),
]

const processHandlers: Handler<S>[] = [
  answer(processes.launch, async (server: S, params, { signal, answered }) => {
    const { command, cwd, environment } = params
    checkCommand('launch', command)
    const { processes } = server.sessions.getRunning(params.sessionId)
    const options = { command, cwd, environment, stdin: params.stdin ?? 'null' }
    const launched = await processes.launch(options, signal)
    void answered.then(() => launched.report())
    return { processId: launched.process.id, pid: await launched.process.started }
  }),
  answer(processes.signalProcess, (server: S, { processId, signal }) => {
    const process = server.sessions.findProcess(processId)
    if (!Object.hasOwn(constants.signals, signal)) throw new Failure('signal-unknown', { signal })
    process.signal(signal)
    return null
  }),
  answer(
    processes.writeProcess,
    async (server: S, { processId, data, encoding, end = false }, { signal }) => {
      const { input } = server.sessions.findLaunched(processId)
      await input.write(Buffer.from(data ?? '', encoding ?? 'utf8'), { end, signal })
      return null
    },
  ),
  answer(processes.prepareLaunch, async (server: S, { sessionId, command, shims }, { signal }) => {
    if (command !== undefined) checkCommand('prepareLaunch', command)
    const session = server.sessions.get(sessionId)
    const { state } = session.status
    if (session.status.over) throw new Failure('session-not-running', { sessionId, state })
    const prepared = await session.processes.prepare({ command, shims, signal })
    const { processId, argv, environment, shimFolder } = prepared
    return { processId, argv, environment, shimFolder }
  }),
]

function checkCommand(method: string, command: readonly string[]): void {
  const wrong =
    command.length === 0 || command[0] === ''
      ? 'command: expected at least the name of a program'
      : command.some(word => word.includes('\0'))
        ? 'command: a NUL character cannot be passed to a program'
        : undefined
  if (wrong !== undefined) throw new Failure('params-invalid', { method, faults: wrong })
}

const trafficHandlers: Handler<S>[] = [
  answer(traffic.streamTraffic, (server: S, { sessionId, ...wish }, { answered }) => {
    const session = server.sessions.getRunning(sessionId)
    return { trafficId: server.views.start(session, { ...wish, announced: answered }) }
  }),
  answer(traffic.creditTraffic, (server: S, { trafficId, credit }) => {
    server.views.grant(trafficId, credit)
    return null
  }),
  answer(traffic.stopTraffic, (server: S, { trafficId }) => ({ dropped: server.views.stop(trafficId) })),
]

const explainHandlers: Handler<S>[] = [
  answer(explaining.explainConnect, (server: S, params) =>
    explainFor(params, id => server.sessions.getRunning(id)),
  ),
]

export const handlers: readonly Handler<ServerState>[] = [
  ...lifecycleHandlers,
  ...targetHandlers,
  ...clusterHandlers,
  ...sessionHandlers,
  ...processHandlers,
  ...portHandlers,
  ...trafficHandlers,
  ...explainHandlers,
]

/** The names of all messages that this server handles. */
export const handledMethods: readonly string[] = handlers.map(({ message }) => message.method)
