// Credentials from the program that a kubeconfig names: asked for once, kept until they expire or are refused.
import { Failure } from '../../../protocol/errors.ts'
import { orAborted } from '../../deadline.ts'
import { Narrator, told } from '../../targets/narrate.ts'
import {
  type CheckedEntry,
  type ExecCluster,
  type ExecCredential,
  execInfo,
  execVersions,
  readExecCredential,
} from './exec-credential.ts'
import type { ExecEntry } from './kubeconfig-file.ts'
import { PluginMissing, runPlugin } from './run-plugin.ts'
import type { Voice } from './voice.ts'

export type ExecPlugin = {
  /** The same object as long as it holds. Fails with `credentials-failed`. */
  get(signal: AbortSignal): Promise<ExecCredential>
  /** Drops a credential that the cluster refused; true when the next `get` may give another. */
  renew(refused: ExecCredential): boolean
  /** Ends what runs. */
  close(): void
}

export type ExecPluginOptions = Voice & {
  user: string
  file: string
  entry: ExecEntry
  cluster: ExecCluster
  env: NodeJS.ProcessEnv
  /** Default 60,000: a login in a browser that the plugin opened takes its time. */
  timeoutMs?: number
  /** Default 300,000 from the first line that it has for its user: a code, typed in on another device. */
  spokenTimeoutMs?: number
}

/** A plugin that was asked again because of a refusal, and was refused again, is left in peace for so long: it may open a browser each time. */
const refusedAgainMs = 30_000

/** Of one run; more than this is no message for a person. */
const mostToldLines = 50

/** Fails with `kubeconfig-invalid` or `credentials-failed` when the entry can never give any. */
export function createExecPlugin(options: ExecPluginOptions): ExecPlugin {
  return new Plugin({ ...options, entry: checkedEntry(options) })
}

type Running = { credential: Promise<ExecCredential>; stop: AbortController; waiting: number }

class Plugin implements ExecPlugin {
  readonly #options: ExecPluginOptions & { entry: CheckedEntry }
  #held: ExecCredential | undefined
  #running: Running | undefined
  #renewedAtMs = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: ExecPluginOptions & { entry: CheckedEntry }) {
    this.#options = options
  }

  async get(signal: AbortSignal): Promise<ExecCredential> {
    if (this.#held !== undefined && Date.now() < (this.#held.expiresAtMs ?? Infinity)) return this.#held
    this.#running ??= this.#start()
    const running = this.#running
    running.waiting += 1
    try {
      return await orAborted(running.credential, signal)
    } finally {
      running.waiting -= 1
      if (running.waiting === 0) this.#drop(running)
    }
  }

  renew(refused: ExecCredential): boolean {
    if (this.#held !== refused) return true
    if (performance.now() - this.#renewedAtMs < refusedAgainMs) return false
    this.#renewedAtMs = performance.now()
    this.#held = undefined
    return true
  }

  close(): void {
    this.#closed = true
    this.#running?.stop.abort(new Failure('cancelled', { what: 'a request to the cluster' }))
  }

  /** Nobody waits for it any more; whoever comes starts another. */
  #drop(running: Running): void {
    running.stop.abort(new Failure('cancelled', { what: 'the credential plugin' }))
    if (this.#running === running) this.#running = undefined
  }

  #start(): Running {
    const stop = new AbortController()
    if (this.#closed) stop.abort(new Failure('cancelled', { what: 'a request to the cluster' }))
    const running = { credential: this.#ask(stop.signal), stop, waiting: 0 }
    running.credential
      .then(
        credential => {
          this.#held = credential
        },
        () => {
          // Told to those who wait for it; the next request asks again.
        },
      )
      .finally(() => {
        if (this.#running === running) this.#running = undefined
      })
    return running
  }

  async #ask(signal: AbortSignal): Promise<ExecCredential> {
    const { entry, cluster, env } = this.#options
    const { STANDIN_TOKEN: _, ...inherited } = env
    const given = Object.fromEntries((entry.env ?? []).map(({ name = '', value = '' }) => [name, value]))
    try {
      const running = runPlugin({
        command: entry.command,
        args: entry.args ?? [],
        env: { ...inherited, ...given, KUBERNETES_EXEC_INFO: execInfo(entry, cluster) },
        timeoutMs: this.#options.timeoutMs ?? 60_000,
        spokenTimeoutMs: this.#options.spokenTimeoutMs ?? 300_000,
        signal,
        onLine: this.#reader(),
      })
      const output = await this.#narrated(running)
      return readExecCredential(output, entry.apiVersion, Date.now())
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw this.#failure(error)
    }
  }

  #narrated<T>(running: Promise<T>): Promise<T> {
    const { entry, user, onStep } = this.#options
    if (onStep === undefined) return running
    return told(
      running,
      new Narrator(onStep),
      'login',
      () => `asking plugin "${entry.command}" of user "${user}"`,
    )
  }

  /** As with kubectl the user sees what a plugin has to say, such as where to log in by which code. */
  #reader(): (line: string) => void {
    const { user, log, tell } = this.#options
    let lines = 0
    return line => {
      lines += 1
      const text = `credential plugin of user "${user}": ${line}`
      if (tell === undefined || lines > mostToldLines) log.write('info', text)
      else tell('info', text)
    }
  }

  #failure(error: unknown): Failure {
    const { entry, user } = this.#options
    const missing = error instanceof PluginMissing
    const state = missing ? 'is not there' : error instanceof Error ? error.message : String(error)
    const hint = entry.installHint
      ?.trim()
      .replace(/\s*\n\s*/g, ' ')
      .replace(/\.$/, '')
    const fix = missing
      ? hint || `Install "${entry.command}", or put its folder in PATH`
      : `Log in again; "${shownCommand(entry)}" in a terminal shows what it wants`
    return new Failure(
      'credentials-failed',
      { user, reason: `its plugin "${entry.command}" ${state}`, fix },
      { cause: error },
    )
  }
}

function shownCommand(entry: CheckedEntry): string {
  return [entry.command, ...(entry.args ?? [])].join(' ').slice(0, 200)
}

function checkedEntry({ entry: given, user, file }: ExecPluginOptions): CheckedEntry {
  const invalid = (reason: string) =>
    new Failure('kubeconfig-invalid', { file, reason: `the exec plugin of user "${user}" ${reason}` })
  const entry = { ...given, command: given.command ?? '', apiVersion: given.apiVersion ?? '' }
  if (entry.command === '') throw invalid('has no command')
  if (!execVersions.includes(entry.apiVersion))
    throw invalid(`has apiVersion "${entry.apiVersion}"; those of today are ${execVersions.join(' and ')}`)
  const mode = entry.interactiveMode || (entry.apiVersion.endsWith('/v1beta1') ? 'IfAvailable' : '')
  if (mode === '') throw invalid('has no interactiveMode, which v1 asks for')
  if (!['Never', 'IfAvailable', 'Always'].includes(mode))
    throw invalid(`has interactiveMode "${mode}"; it is one of Never, IfAvailable and Always`)
  if (mode === 'Always')
    throw new Failure('credentials-failed', {
      user,
      reason: `its plugin "${entry.command}" wants a terminal (interactiveMode Always), and there is none here`,
      fix: `Log in by hand first ("${shownCommand(entry)}"), then set its interactiveMode to IfAvailable if it keeps the login`,
    })
  return entry
}
