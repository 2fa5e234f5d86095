// Why the kernel refused an agent in a pod, by what confines it.
import assert from 'node:assert/strict'
import { type Confinement, explainRefusal } from '../../../agent/targets/refusal.ts'

/** SYS_ADMIN SYS_PTRACE NET_ADMIN NET_RAW BPF. */
const all = 'CapEff:\t0000008000283000\nSeccomp:\t0\n'
const filtered = all.replace('Seccomp:\t0', 'Seccomp:\t2')
const refusal = { what: 'read /proc/12/environ', errno: 'EACCES', right: 'CAP_SYS_PTRACE' }
const of = (confinement: Partial<Confinement>, other = refusal) =>
  explainRefusal(other, { status: all, profile: '', user: 0, ...confinement })

describe('explainRefusal()', () => {
  const cases: readonly (readonly [string, Partial<Confinement>, RegExp, string])[] = [
    [
      'AppArmor, when the capability is there and a profile confines',
      { profile: 'cri-containerd.apparmor.d (enforce)' },
      /^EACCES when it tried to read \/proc\/12\/environ although it has CAP_SYS_PTRACE: AppArmor .* profile cri-containerd/,
      'Set agent.security_context to {"appArmorProfile":{"type":"Unconfined"}}',
    ],
    [
      'SELinux, when the capability is there and a type confines',
      { profile: 'system_u:system_r:container_t:s0:c123,c456' },
      /SELinux confines its container as container_t$/,
      'Set agent.security_context to {"seLinuxOptions":{"type":"spc_t"}}',
    ],
    [
      'seccomp, when no security module confines',
      { profile: 'unconfined', status: filtered },
      /a seccomp profile confines its container$/,
      'Set agent.security_context to {"seccompProfile":{"type":"Unconfined"}}',
    ],
    [
      'seccomp, when SELinux does not confine',
      { profile: 'system_u:system_r:spc_t:s0', status: filtered },
      /a seccomp profile confines its container$/,
      'Set agent.security_context to {"seccompProfile":{"type":"Unconfined"}}',
    ],
    [
      'the capability that is missing, before all else',
      { status: 'CapEff:\t0000000000000000\nSeccomp:\t2\n', profile: 'cri-containerd.apparmor.d (enforce)' },
      /for its container lacks CAP_SYS_PTRACE$/,
      'Take "capabilities" out of agent.security_context, or ask whoever runs the cluster to admit CAP_SYS_PTRACE for the agent',
    ],
    [
      'the user, whom capabilities do not reach',
      { status: 'CapEff:\t0000000000000000\n', user: 1000 },
      /for its container runs as user 1000, so that CAP_SYS_PTRACE has no effect$/,
      'Set agent.security_context to {"runAsUser":0,"runAsNonRoot":false}',
    ],
    [
      'nothing that it knows, when nothing confines',
      { profile: 'unconfined' },
      /although it has CAP_SYS_PTRACE$/,
      "Look for what refuses it in the node's kernel log, and report it with that",
    ],
  ]
  for (const [name, confinement, reason, fix] of cases)
    it(`names ${name}`, () => {
      const explained = of(confinement)
      assert.match(explained.reason, reason)
      assert.equal(explained.fix, fix)
    })

  it('takes a right that is no capability for granted', () => {
    const other = { what: 'hold on to pid 12', errno: 'EPERM', right: 'to see it (hidepid)' }
    assert.match(of({}, other).reason, /although it has to see it/)
  })
})
