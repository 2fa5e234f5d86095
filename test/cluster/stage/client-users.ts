// Kubeconfigs for tests of the client of a cluster: the administrator's, with other users and servers in it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Api } from '../../../server/kubernetes/client/api.ts'
import { openApi } from '../../../server/kubernetes/client/open.ts'
import { kubectl } from './kubectl.ts'

const log = { level: 'error', write: () => {}, close: () => {} } as const

/** As Kubernetes writes them. */
type Kubeconfig = {
  clusters: { name: string; cluster: Record<string, unknown> & { server: string } }[]
  users: { name: string; user: Record<string, unknown> }[]
  contexts: { name: string; context: Record<string, unknown> }[]
  'current-context': string
}

export class ClientUsers {
  readonly folder = mkdtempSync(join(tmpdir(), 'standin-client-'))
  readonly #config: Kubeconfig
  readonly #open: Api[] = []

  constructor(config: Kubeconfig) {
    this.#config = config
  }

  static async make(): Promise<ClientUsers> {
    return new ClientUsers(
      JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'])),
    )
  }

  /** The administrator's own user. */
  get administrator(): Record<string, unknown> {
    return this.#config.users[0]!.user
  }

  get server(): string {
    return this.#config.clusters[0]!.cluster.server
  }

  /** A kubeconfig of one context "test", with what is given in the place of the administrator's. */
  file(change: { user?: object; cluster?: object; namespace?: string } = {}): string {
    const path = join(this.folder, `config-${Math.random().toString(36).slice(2)}`)
    const config = {
      'current-context': 'test',
      contexts: [
        { name: 'test', context: { cluster: 'test', user: 'ada', namespace: change.namespace ?? 'default' } },
      ],
      clusters: [{ name: 'test', cluster: { ...this.#config.clusters[0]!.cluster, ...change.cluster } }],
      users: [{ name: 'ada', user: change.user ?? this.administrator }],
    }
    writeFileSync(path, JSON.stringify(config), { mode: 0o600 })
    return path
  }

  /** A client with such a kubeconfig. */
  async client(
    change: { user?: object; cluster?: object; namespace?: string } = {},
    env: NodeJS.ProcessEnv = { PATH: process.env.PATH },
  ): Promise<Api> {
    const api = await openApi({ kubeconfig: this.file(change) }, { log, env })
    this.#open.push(api)
    return api
  }

  end(): void {
    for (const api of this.#open) api.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

export type UserInfo = { username: string; groups?: string[]; uid?: string; extra?: Record<string, string[]> }

/** Whom the cluster takes the client for. */
export async function whoIs(api: Api): Promise<UserInfo> {
  const review = await api.request<{ status: { userInfo: UserInfo } }>({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    signal: AbortSignal.timeout(20_000),
    asks: { verb: 'create', resource: 'selfsubjectreviews.authentication.k8s.io' },
  })
  return review.status.userInfo
}
