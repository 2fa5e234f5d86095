// A listener as the hooks know it, of which a test names only what matters to it.
import type { Listener } from '../../hooks/syscalls/world.ts'

export function listenerOf(named: Partial<Listener>): Listener {
  const endpoint = { address: '0.0.0.0', port: 8080 }
  return {
    cookie: 7n,
    inode: 70,
    family: 2,
    asked: endpoint,
    actual: endpoint,
    sharesPort: false,
    inherited: false,
    ...named,
  }
}
