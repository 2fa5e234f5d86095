// What the process reads of names: the pod's files, changed as far as the hooks need it, from the target's facts and this machine's nsswitch.conf.
import { isIP } from 'node:net'
import { normalAddress } from '../../protocol/address.ts'
import type { TargetFacts } from '../../protocol/agent/control.ts'
import type { PodNames } from '../../protocol/hook/messages.ts'
import type { ResolverConfig } from '../../protocol/names/resolv-conf.ts'

/** Whom a resolver asks when no nameserver is named (resolv.conf(5); Go asks both). */
const defaultNameservers = ['127.0.0.1', '::1']

/** Daemons that answer for this machine: the name service cache, systemd-resolved, and mDNS (nscd(8), nss-resolve(8), nss-mdns). */
const refusedSockets = ['', '/var'].flatMap(folder =>
  [
    'nscd/socket',
    'systemd/resolve/io.systemd.Resolve',
    'systemd/resolve/io.systemd.Resolve.Monitor',
    'avahi-daemon/socket',
  ].map(path => `${folder}/run/${path}`),
)

export type NameFacts = Pick<TargetFacts, 'hostname' | 'nameFiles'>

/** `nsswitch` is this machine's /etc/nsswitch.conf. Without a feature its names are left as they are here. */
export function podNamesOf(
  { hostname, nameFiles }: NameFacts,
  features: { dns: boolean; hostname: boolean },
  nsswitch: string,
): PodNames {
  const { resolvConf = '', hosts = '' } = nameFiles
  return {
    files: {
      ...(features.dns
        ? {
            '/etc/resolv.conf': byConnection(resolvConf),
            '/etc/hosts': hosts,
            '/etc/nsswitch.conf': filesThenDns(nsswitch),
          }
        : {}),
      ...(features.hostname
        ? { '/etc/hostname': `${hostname}\n`, '/proc/sys/kernel/hostname': `${hostname}\n` }
        : {}),
    },
    nameservers: features.dns ? nameserversOf(resolvConf) : [],
    refusedSockets: features.dns ? refusedSockets : [],
    ...(features.hostname ? { hostname } : {}),
  }
}

/** In the order in which they are asked, in one spelling each. */
export function nameserversOf(resolvConf: string): string[] {
  const named = resolvConf
    .split('\n')
    .map(line => /^nameserver\s+([^\s#;]+)/.exec(line)?.[1]?.split('%')[0])
    .filter(address => address !== undefined && isIP(address) !== 0)
    .map(address => normalAddress(address!))
  return named.length === 0 ? defaultNameservers : named
}

/** Milliseconds that a resolver gives a nameserver for one question, all tries together. */
export function questionMs({ timeoutMs, attempts }: Pick<ResolverConfig, 'timeoutMs' | 'attempts'>): number {
  return timeoutMs * attempts
}

/** Questions by TCP leave by the same way as other connections; glibc, Go and c-ares obey this option. */
function byConnection(resolvConf: string): string {
  const text = resolvConf === '' || resolvConf.endsWith('\n') ? resolvConf : `${resolvConf}\n`
  return `${text}options use-vc\n`
}

/** What this machine asks besides, such as mDNS or a directory, knows nothing of the pod. Users and groups stay this machine's. */
function filesThenDns(nsswitch: string): string {
  const others = nsswitch.split('\n').filter(line => line !== '' && !/^\s*hosts\s*:/.test(line))
  return [...others, 'hosts: files dns', ''].join('\n')
}
