// The control plane, on this machine itself: etcd, API server, controller manager and scheduler.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { keyFile as key, kubeconfigOf } from './certificates.ts'
import { controlAddress, podNetwork, serviceNetwork, stateRoot } from './layout.ts'
import { type Program, start, stop } from './processes.ts'
import { programPath } from './programs.ts'
import { run, until } from './run.ts'

const etcdClient = 'http://127.0.0.1:2379'
const etcdPeer = 'http://127.0.0.1:2380'

const etcd: Program = {
  name: 'etcd',
  command: [
    '/usr/bin/etcd',
    '--name=standin',
    `--data-dir=${join(stateRoot, 'etcd')}`,
    `--listen-client-urls=${etcdClient}`,
    `--advertise-client-urls=${etcdClient}`,
    `--listen-peer-urls=${etcdPeer}`,
    `--initial-advertise-peer-urls=${etcdPeer}`,
    `--initial-cluster=standin=${etcdPeer}`,
  ],
}

const headers = [
  'username-headers=X-Remote-User',
  'group-headers=X-Remote-Group',
  'extra-headers-prefix=X-Remote-Extra-',
]

const apiServer: Program = {
  name: 'kube-apiserver',
  command: [
    programPath('kube-apiserver'),
    `--etcd-servers=${etcdClient}`,
    `--bind-address=${controlAddress}`,
    `--advertise-address=${controlAddress}`,
    '--secure-port=6443',
    `--tls-cert-file=${key('apiserver.crt')}`,
    `--tls-private-key-file=${key('apiserver.key')}`,
    `--client-ca-file=${key('ca.crt')}`,
    `--kubelet-client-certificate=${key('apiserver-kubelet-client.crt')}`,
    `--kubelet-client-key=${key('apiserver-kubelet-client.key')}`,
    `--kubelet-certificate-authority=${key('ca.crt')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--service-account-key-file=${key('sa.pub')}`,
    `--service-account-signing-key-file=${key('sa.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--requestheader-client-ca-file=${key('front-proxy-ca.crt')}`,
    '--requestheader-allowed-names=front-proxy-client',
    ...headers.map(header => `--requestheader-${header}`),
    `--proxy-client-cert-file=${key('front-proxy-client.crt')}`,
    `--proxy-client-key-file=${key('front-proxy-client.key')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    // Webhooks and aggregated APIs are reached at their pods' addresses: kube-proxy runs in the nodes only.
    '--enable-aggregator-routing=true',
    `--service-cluster-ip-range=${serviceNetwork}`,
    '--profiling=false',
  ],
}

const as = (name: string): string[] =>
  ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
    flag => `--${flag}=${kubeconfigOf(name)}`,
  )

const controllerManager: Program = {
  name: 'kube-controller-manager',
  command: [
    programPath('kube-controller-manager'),
    ...as('controller-manager'),
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    `--cluster-cidr=${podNetwork}`,
    `--service-cluster-ip-range=${serviceNetwork}`,
    '--allocate-node-cidrs=false',
    `--root-ca-file=${key('ca.crt')}`,
    `--service-account-private-key-file=${key('sa.key')}`,
    '--use-service-account-credentials=true',
    `--cluster-signing-cert-file=${key('ca.crt')}`,
    `--cluster-signing-key-file=${key('ca.key')}`,
    `--requestheader-client-ca-file=${key('front-proxy-ca.crt')}`,
    '--node-monitor-period=2s',
  ],
}

const scheduler: Program = {
  name: 'kube-scheduler',
  command: [
    programPath('kube-scheduler'),
    ...as('scheduler'),
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
  ],
}

/** In the order of their start; they stop in the reverse order. */
export const controlPrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
] as const

/** Starts what does not run, and waits until the API server says that it is ready. */
export async function startControlPlane(): Promise<void> {
  await start(etcd)
  await until('etcd to be healthy', 20_000, async () => (await fetch(`${etcdClient}/health`)).ok)
  await apiServerReady()
  await startControllers()
}

export async function stopControlPlane(): Promise<void> {
  for (const name of controlPrograms.toReversed()) await stop(name)
}

/** Ends the API server, as its machine going away would: every connection to it and through it is gone. */
export async function stopApiServer(): Promise<void> {
  await stop('kube-apiserver', 'SIGKILL')
}

/** Starts the API server again and waits until it is ready. */
export async function startApiServer(): Promise<void> {
  await apiServerReady()
  // Under leader election they would have ended with the lease and begun anew; without it they ask again after up to a minute.
  for (const { name } of [controllerManager, scheduler]) await stop(name)
  await startControllers()
}

async function startControllers(): Promise<void> {
  await start(controllerManager)
  await start(scheduler)
}

async function apiServerReady(): Promise<void> {
  await start(apiServer)
  await until('the API server to be ready', 60_000, async () => {
    await run(programPath('kubectl'), [
      '--kubeconfig',
      kubeconfigOf('admin'),
      '--request-timeout=5s',
      'get',
      '--raw',
      '/readyz',
    ])
    return true
  })
}

/** True when the state of a test cluster is on this machine, so that its parts may be stopped and started. */
export const clusterIsOurs = (): boolean => existsSync(join(stateRoot, 'pki', 'list.json'))
