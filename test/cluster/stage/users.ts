// Users of the cluster who may do only what a test gives them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubeconfig as admin, apply, kubectl } from './kubectl.ts'

/** One rule of a Role, as Kubernetes writes it. */
export interface Rule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
  resourceNames?: string[]
}

export interface User {
  /** As the API server names the user in a refusal. */
  name: string
  /** Path of a kubeconfig with a token of this user alone. */
  kubeconfig: string
  remove(): Promise<void>
}

export interface UserOptions {
  namespace: string
  /** What the user may do in the namespace. */
  rules: readonly Rule[]
  /** What the user may do everywhere. */
  clusterRules?: readonly Rule[]
}

let made = 0

/** Makes a service account with these rights and no others, and a kubeconfig with an hour's token for it. */
export async function userWith({ namespace, rules, clusterRules = [] }: UserOptions): Promise<User> {
  const name = `user-${process.pid}-${made++}-${Date.now().toString(36).slice(-5)}`
  const group = 'rbac.authorization.k8s.io'
  const object = (kind: string, rest: object) => ({ apiVersion: `${group}/v1`, kind, ...rest })
  const subjects = [{ kind: 'ServiceAccount', name, namespace }]
  const wide = clusterRules.length > 0
  await apply(
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } },
    object('Role', { metadata: { name, namespace }, rules }),
    object('RoleBinding', {
      metadata: { name, namespace },
      roleRef: { apiGroup: group, kind: 'Role', name },
      subjects,
    }),
    ...(wide ? [object('ClusterRole', { metadata: { name }, rules: clusterRules })] : []),
    ...(wide
      ? [
          object('ClusterRoleBinding', {
            metadata: { name },
            roleRef: { apiGroup: group, kind: 'ClusterRole', name },
            subjects,
          }),
        ]
      : []),
  )
  const folder = mkdtempSync(join(tmpdir(), 'standin-user-'))
  const file = join(folder, 'kubeconfig')
  writeFileSync(file, JSON.stringify(await kubeconfigFor(name, namespace)), { mode: 0o600 })
  const remove = async (): Promise<void> => {
    rmSync(folder, { recursive: true, force: true })
    await kubectl([
      '-n',
      namespace,
      'delete',
      '--ignore-not-found',
      `rolebinding/${name}`,
      `role/${name}`,
      `serviceaccount/${name}`,
    ])
    if (wide)
      await kubectl(['delete', '--ignore-not-found', `clusterrolebinding/${name}`, `clusterrole/${name}`])
  }
  return { name: `system:serviceaccount:${namespace}:${name}`, kubeconfig: file, remove }
}

/** The administrator's kubeconfig with another user in it. */
async function kubeconfigFor(name: string, namespace: string): Promise<object> {
  const token = await kubectl(['-n', namespace, 'create', 'token', name, '--duration=1h'])
  const config = JSON.parse(
    await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'], { kubeconfig: admin }),
  )
  const [context] = config.contexts
  return {
    ...config,
    users: [{ name, user: { token } }],
    contexts: [{ name: context.name, context: { cluster: context.context.cluster, user: name, namespace } }],
  }
}
