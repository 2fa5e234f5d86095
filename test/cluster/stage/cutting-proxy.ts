// A TCP proxy on loopback before the API server, for tests that cut connections: silently, by a reset, or not at all.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubectl } from './kubectl.ts'

export type CuttingProxy = {
  /** Path of the administrator's kubeconfig with the proxy in the API server's place. */
  readonly kubeconfig: string
  /** Connections that are open at our side. */
  readonly open: number
  /** Connections that were ever accepted. */
  readonly accepted: number
  /** Forwards nothing any more, closes nothing, and lets nobody else in: a cable that was pulled. */
  silence(): void
  /** Resets all connections, and every new one. */
  refuse(): void
  /** Forwards again, after silence what came meanwhile too. */
  restore(): void
  /** Ends all connections by a reset. */
  reset(): void
  /** Ends all connections towards us by a FIN, in the middle of whatever they said. */
  finish(): void
  end(): Promise<void>
}

export async function startCuttingProxy(): Promise<CuttingProxy> {
  const config = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']))
  const { cluster } = config.clusters[0]
  const real = new URL(cluster.server)
  const pairs = new Map<Socket, Socket>()
  let silent = false
  let refusing = false
  let accepted = 0
  const resetAll = () => {
    for (const near of pairs.keys()) near.resetAndDestroy()
  }
  const server = createServer({ allowHalfOpen: true }, near => {
    if (refusing) return void near.on('error', () => {}).resetAndDestroy()
    accepted += 1
    const far = connect({ host: real.hostname, port: Number(real.port || 443), allowHalfOpen: true })
    pairs.set(near, far)
    near.on('close', () => {
      pairs.delete(near)
      far.destroy()
    })
    far.on('close', () => near.destroySoon())
    for (const socket of [near, far]) socket.on('error', () => {})
    if (silent) return
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const folder = mkdtempSync(join(tmpdir(), 'standin-proxy-'))
  const kubeconfig = join(folder, 'kubeconfig')
  cluster.server = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  cluster['tls-server-name'] = real.hostname
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
  return {
    kubeconfig,
    get open() {
      return pairs.size
    },
    get accepted() {
      return accepted
    },
    silence() {
      silent = true
      for (const [near, far] of pairs) {
        near.unpipe(far)
        far.unpipe(near)
      }
    },
    refuse() {
      refusing = true
      resetAll()
    },
    restore() {
      refusing = false
      if (!silent) return
      silent = false
      for (const [near, far] of pairs) {
        near.pipe(far)
        far.pipe(near)
      }
    },
    reset: resetAll,
    finish() {
      for (const [near, far] of pairs) {
        far.unpipe(near)
        near.end()
      }
    },
    async end() {
      for (const near of pairs.keys()) near.destroy()
      await new Promise(resolve => server.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
