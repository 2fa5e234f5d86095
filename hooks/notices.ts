// Notices that the supervisor itself gives, one sentence each.
import { inheritedDatagramSockets } from './linux/inherited.ts'
import { errnoName } from './linux/libc.ts'
import type { Notice } from './syscalls/world.ts'

export const privilegesNotice: Notice = {
  level: 'warning',
  code: 'no-new-privileges',
  text: 'sudo, ping and other programs with the setuid bit gain no rights in this session, because the command runs with no_new_privs',
}

export const portSharedNotice = (port: number): Notice => ({
  level: 'warning',
  code: 'port-shared',
  text: `A program outside of the session shares port ${port} with the process (SO_REUSEPORT): the process gets nothing on it until that program has ended`,
})

export const guardNotice = (errno: number): Notice => ({
  level: 'warning',
  code: 'guard-missing',
  text: `Nobody answers for the command if its supervisor dies: the guard cannot be reached (${errnoName(errno)})`,
})

export const refusedNotice = (thrown: unknown): Notice => ({
  level: 'warning',
  code: 'hook-mistake',
  text: `A system call was refused because of a mistake in standin: ${thrown instanceof Error ? thrown.stack : thrown}`,
})

/** Such a socket is not ours to change: others have it too. */
export const inheritedNotices = (): Notice[] =>
  inheritedDatagramSockets().map(descriptor => ({
    level: 'warning',
    code: 'datagram-socket-inherited',
    text: `The command inherits a UDP socket (descriptor ${descriptor}) that was made outside of the session: datagrams that it sends there may leave from this machine instead of the pod`,
  }))
