// A stand-in pod with names of its own: a nameserver that only it reaches, its own resolv.conf, hosts file and host name.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionConfig } from '../../protocol/config.ts'
import { linesOf } from './lines.ts'
import { type Pod, programOf } from './pod.ts'
import { type Reaching, startReaching } from './reaching.ts'

const servicePort = 9000
export const podHostname = 'shop-0'
export const suffix = 'shop.svc.cluster.local'
/** More than a datagram of 512 bytes holds. */
const longText = Array.from({ length: 12 }, (_, index) => `${index}`.padEnd(100, 'x'))

/** The service on port 9000 is `web` by name, and the pod's caller is the nameserver. */
export async function startNamedPod(
  environment: NodeJS.ProcessEnv,
  options: {
    config?: SessionConfig
    /** Of its resolv.conf. */
    options?: string
    /** How its nameserver is; default well. */
    nameserver?: 'absent' | 'silent'
  } = {},
): Promise<Reaching> {
  const folder = mkdtempSync(join(tmpdir(), 'standin-names-'))
  const service = [process.execPath, programOf('http-service.mjs'), String(servicePort)] as const
  // The files are written when the addresses are known, and bound before; a program reads them when it asks.
  for (const file of ['resolv.conf', 'hosts']) writeFileSync(join(folder, file), '')
  const script = `mount --bind ${folder}/resolv.conf /etc/resolv.conf && mount --bind ${folder}/hosts /etc/hosts && hostname ${podHostname} && exec "$@"`
  const own = [process.execPath, programOf('hash-server.mjs'), '8080', '::']
  const command = ['unshare', '--mount', '--uts', 'sh', '-c', script, 'sh', ...own] as const
  const reaching = await startReaching(environment, service, {
    ...(options.config === undefined ? {} : { config: options.config }),
    command,
    ready: async pod => {
      const { first, second } = pod.cable
      writeFileSync(
        join(folder, 'resolv.conf'),
        `search ${suffix} svc.cluster.local\nnameserver ${second.ipv4}\noptions ndots:5 ${options.options ?? ''}\n`,
      )
      writeFileSync(
        join(folder, 'hosts'),
        `127.0.0.1 localhost\n::1 localhost\n${first.ipv4} ${podHostname}\n192.0.2.77 from-hosts\n`,
      )
      if (options.nameserver === 'absent') return
      if (options.nameserver === 'silent') return startSilent(pod)
      const nameserver = pod.callers.spawn('dnsmasq', nameserverArguments(second), {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      await linesOf(nameserver.stderr).until('the nameserver', line => line.includes('started'))
    },
  })
  return {
    ...reaching,
    async end() {
      await reaching.end()
      rmSync(folder, { recursive: true })
    },
  }
}

/** Takes questions and never answers. */
async function startSilent({ callers }: Pod): Promise<void> {
  const code =
    'import socket; taken = socket.socket(type=socket.SOCK_DGRAM); taken.bind(("", 53)); print("ready", flush=True); input()'
  const child = callers.spawn('python3', ['-c', code], { stdio: ['pipe', 'pipe', 'inherit'] })
  await linesOf(child.stdout).until('the silent nameserver', line => line === 'ready')
}

function nameserverArguments({ ipv4, ipv6 }: { ipv4: string; ipv6: string }): string[] {
  return [
    ...['--keep-in-foreground', '--log-facility=-', '--no-resolv', '--no-hosts', '--conf-file=/dev/null'],
    ...['--user=root', '--pid-file=', '--bind-interfaces', `--listen-address=${ipv4}`],
    // Whatever is not named here does not exist.
    '--address=/#/',
    `--host-record=web.${suffix},${ipv4},${ipv6}`,
    `--host-record=four.${suffix},10.96.0.20`,
    '--host-record=example.test,10.96.0.21',
    `--cname=alias.${suffix},web.${suffix}`,
    `--srv-host=_http._tcp.web.${suffix},web.${suffix},${servicePort},1,2`,
    `--txt-record=web.${suffix},"a text"`,
    ...longText.map(text => `--txt-record=long.${suffix},${text}`),
    `--mx-host=web.${suffix},mail.${suffix},10`,
  ]
}
