// A TCP proxy between this machine and the API server that a test can make silent, cut or close, and a kubeconfig that leads through it.
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kubectl } from './kubectl.ts'

export type ApiProxy = {
  /** Path of a kubeconfig of the same user whose server is this proxy. */
  readonly kubeconfig: string
  /** Connections that are open. */
  readonly connections: number
  /** From here on no byte passes, either way, and nobody is told: as a network whose packets are dropped. New connections hang too. */
  silence(): void
  /** Resets every connection and refuses new ones. */
  cut(): void
  /** Resets every connection, once; new ones pass. */
  reset(): void
  /** All passes again: what was held back in silence too, and new connections. */
  restore(): void
  close(): Promise<void>
}

type Pipe = { near: Socket; far: Socket }

/** `kubeconfig`: whose server and user are taken; default the administrator's. */
export async function proxyToApi(options: { kubeconfig?: string } = {}): Promise<ApiProxy> {
  const view = ['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']
  const config = JSON.parse(await kubectl(view, options))
  const { cluster } = config.clusters[0]
  const api = new URL(cluster.server)
  const pipes = new Set<Pipe>()
  let state: 'passes' | 'silent' | 'cut' = 'passes'

  const server = createServer(near => {
    // Someone else's half-open connection must not end the test.
    near.on('error', () => {})
    if (state === 'cut') return void near.resetAndDestroy()
    const far = connect(Number(api.port || 443), api.hostname)
    const pipe = { near, far }
    pipes.add(pipe)
    pass(near, far)
    pass(far, near)
  })
  const pass = (from: Socket, to: Socket): void => {
    if (state === 'silent') from.pause()
    from.on('data', bytes => {
      if (!to.write(bytes)) from.pause()
    })
    to.on('drain', () => {
      if (state !== 'silent') from.resume()
    })
    from.on('end', () => to.end())
    from.on('error', () => {}).on('close', () => forget(from, to))
  }
  const forget = (from: Socket, to: Socket): void => {
    for (const pipe of pipes) if (pipe.near === from || pipe.far === from) pipes.delete(pipe)
    to.destroy()
  }
  const resetAll = (): void => {
    for (const { near, far } of [...pipes]) for (const socket of [near, far]) socket.resetAndDestroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const folder = mkdtempSync(join(tmpdir(), 'api-proxy-'))
  const file = join(folder, 'kubeconfig')
  const { port } = server.address() as AddressInfo
  cluster.server = `https://127.0.0.1:${port}`
  cluster['tls-server-name'] = api.hostname
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 })
  return {
    kubeconfig: file,
    get connections() {
      return pipes.size
    },
    silence() {
      state = 'silent'
      for (const { near, far } of pipes) for (const socket of [near, far]) socket.pause()
    },
    cut() {
      state = 'cut'
      resetAll()
    },
    reset: resetAll,
    restore() {
      state = 'passes'
      for (const { near, far } of pipes) for (const socket of [near, far]) socket.resume()
    },
    async close() {
      server.close()
      resetAll()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
