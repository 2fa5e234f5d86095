// Reads what confines this process: capabilities (capabilities(7)), the security module's profile, and whether a seccomp filter is on.
import type { Confinement } from '../targets/refusal.ts'
import { readProcText } from './proc.ts'

export function readConfinement(): Confinement {
  const status = readProcText('self', 'status') ?? ''
  return { status, profile: readProfile(), user: process.geteuid?.() ?? 0 }
}

/** "cri-containerd.apparmor.d (enforce)" of AppArmor, "system_u:system_r:container_t:s0:c1,c2" of SELinux; empty without either. */
function readProfile(): string {
  for (const file of ['attr/apparmor/current', 'attr/current']) {
    try {
      const text = readProcText('self', file)?.replace(/\0/g, '').trim()
      if (text) return text
    } catch {
      // EINVAL: no module answers there.
    }
  }
  return ''
}
