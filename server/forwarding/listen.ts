// Listens for the near end of a forward: on 127.0.0.1 or a Unix socket that is its user's alone, and nowhere else.
import { once } from 'node:events'
import { existsSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, createServer, type ListenOptions, type Server } from 'node:net'
import { dirname } from 'node:path'
import { Failure } from '../../protocol/errors.ts'
import type { ListeningAt, LocalEnd } from '../../protocol/rpc/port-ends.ts'

/** `connection` sockets are paused and must be ended by hand. Throws `listen-failed`. */
export async function listenAt(local: LocalEnd): Promise<{ server: Server; at: ListeningAt }> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true })
  if ('port' in local) {
    await listen(server, { host: '127.0.0.1', port: local.port, exclusive: true }, local)
    const { address, port } = server.address() as { address: string; port: number }
    return { server, at: { address, port } }
  }
  const { path } = local
  try {
    await removeDead(path)
  } catch (thrown) {
    throw listenFailure(local, (thrown as NodeJS.ErrnoException).code ?? 'EIO', thrown)
  }
  await listen(server, { path }, local)
  return { server, at: { path } }
}

async function listen(server: Server, options: ListenOptions, local: LocalEnd): Promise<void> {
  // The socket file is made in the call.
  const before = 'path' in options ? process.umask(0o177) : undefined
  server.listen(options)
  if (before !== undefined) process.umask(before)
  try {
    await once(server, 'listening')
  } catch (thrown) {
    throw listenFailure(local, (thrown as NodeJS.ErrnoException).code ?? 'EIO', thrown)
  }
}

/** A server that was killed could not remove its socket's file; nobody answers there any more. */
async function removeDead(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return
  const probe = connect(path)
  try {
    await once(probe, 'connect')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ECONNREFUSED') unlinkSync(path)
  } finally {
    probe.destroy()
  }
}

/** What holds a port is not for the server to find out: it has no right to look into other users' processes. */
function listenFailure(local: LocalEnd, errno: string, cause: unknown): Failure {
  const isPort = 'port' in local
  const where = isPort ? `port ${local.port} of 127.0.0.1` : `Unix socket "${local.path}"`
  const [reason, fix] = isPort ? ofPort(local.port, errno) : ofPath(local.path, errno)
  return new Failure('listen-failed', { where, reason, fix }, { cause })
}

function ofPort(port: number, errno: string): [reason: string, fix: string] {
  switch (errno) {
    case 'EADDRINUSE':
      return [
        'another program listens on it',
        `Take another port, or 0 for a free one; "${showHolder(port)}" shows the program`,
      ]
    case 'EACCES':
      return ['ports below 1024 are for root (EACCES)', 'Take a port from 1024 on, or 0 for a free one']
    default:
      return [`the kernel refused (${errno})`, 'Take another port, or 0 for a free one']
  }
}

function ofPath(path: string, errno: string): [reason: string, fix: string] {
  if (errno === 'EADDRINUSE')
    return ['another program listens on it, or a file has that name', 'Take another path, or remove the file']
  // For a folder that is missing libuv says EACCES too.
  if (!existsSync(dirname(path)))
    return ['its folder does not exist', 'Make the folder, or take another path']
  return [`the kernel refused (${errno})`, 'Take a path in a folder of yours']
}

function showHolder(port: number): string {
  switch (process.platform) {
    case 'darwin':
      return `lsof -nP -iTCP:${port} -sTCP:LISTEN`
    case 'win32':
      return `netstat -ano | findstr :${port}`
    default:
      return `ss -ltnp sport = :${port}`
  }
}
