// Every message of the editor protocol; dispatch, schemas, the reference page and the repository tests all read this list.
import * as explain from './explain.ts'
import * as kubernetes from './kubernetes.ts'
import * as lifecycle from './lifecycle.ts'
import type { Message } from './message.ts'
import * as ports from './ports.ts'
import * as processes from './processes.ts'
import * as sessions from './sessions.ts'
import * as targets from './targets.ts'
import * as traffic from './traffic.ts'

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'method' in value && 'example' in value
}

export const messages: readonly Message[] = [
  lifecycle,
  kubernetes,
  targets,
  sessions,
  processes,
  ports,
  traffic,
  explain,
].flatMap(room => (Object.values(room) as unknown[]).filter(isMessage))
