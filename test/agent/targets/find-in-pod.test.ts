// Which process of a node or pod is the first one of a container, and why there is none.
import assert from 'node:assert/strict'
import { chooseFirst, explainMissing, type Seen } from '../../../agent/targets/find-in-pod.ts'

const container = '04d6a977af5ffd215dd1ce58f262667c3d28ccd86a27388fba81bf6d791b56fa'
const other = '7472fc597a7533b2b7e00eff625bb5e2ea67a3ac864bcdc290736eee0ce54ea5'
const podUid = '6a1b2c3d-0000-4000-8000-1234567890ab'
const slice = `kubepods-burstable-pod${podUid.replaceAll('-', '_')}.slice`
const inside = `0::/../../${slice}/cri-containerd-${container}.scope\n`
const sought = { container, pod: 'shop', podUid, ephemeral: false }

function seen(pid: number, startTime: number, cgroups: string, more: Partial<Seen> = {}): Seen {
  return { pid, name: 'node', state: 'S', parent: 1, startTime: String(startTime), cgroups, ...more }
}

describe('chooseFirst()', () => {
  it('takes the process that started first, whatever its pid', () => {
    const all = [seen(10, 900, inside), seen(700, 500, inside), seen(3, 1, '0::/init.scope\n')]
    assert.equal(chooseFirst(all, sought)?.pid, 700)
  })

  it('leaves out one that has ended, and takes another container for another', () => {
    const all = [
      seen(10, 100, inside, { state: 'Z' }),
      seen(11, 50, inside.replace(container, other)),
      seen(12, 200, inside),
    ]
    assert.equal(chooseFirst(all, sought)?.pid, 12)
    assert.equal(chooseFirst(all.slice(0, 2), sought), undefined)
  })

  it('takes the outer process where another container runs inside', () => {
    const all = [seen(20, 200, `0::/${container}/docker/${other}\n`), seen(19, 100, `0::/x/${container}\n`)]
    assert.equal(chooseFirst(all, sought)?.pid, 19)
  })

  it("does not take a runtime's monitor for the container", () => {
    assert.equal(
      chooseFirst([seen(5, 1, `0::/kubepods.slice/crio-conmon-${container}.scope\n`)], sought),
      undefined,
    )
  })

  describe('in an ephemeral container', () => {
    const ephemeral = { ...sought, ephemeral: true }
    it('takes pid 1 where cgroups tell of no container', () => {
      assert.equal(chooseFirst([seen(1, 1, '0::/\n'), seen(9, 9, '0::/\n')], ephemeral)?.pid, 1)
      assert.equal(chooseFirst([seen(1, 1, '0::/\n')], sought), undefined)
    })

    it('takes no pid 1 that is another container, or the pause of a pod that shares its processes', () => {
      assert.equal(chooseFirst([seen(1, 1, inside.replace(container, other))], ephemeral), undefined)
      assert.equal(chooseFirst([seen(1, 1, '0::/\n', { name: 'pause' })], ephemeral), undefined)
    })
  })
})

describe('explainMissing()', () => {
  const pause = seen(4, 1, `0::/../../${slice}/cri-containerd-${other}.scope\n`)

  it('says that the container ended where another process of its pod is left', () => {
    assert.equal(explainMissing([pause], sought, 99).kind, 'target-ended')
    const cgroupfs = seen(4, 1, `4:memory:/kubepods/burstable/pod${podUid}/${other}\n`)
    assert.equal(explainMissing([cgroupfs], sought, 99).kind, 'target-ended')
  })

  it('says that the node is another where none is', () => {
    const failure = explainMissing([seen(4, 1, '0::/kubepods.slice/other\n')], sought, 99)
    assert.equal(failure.kind, 'agent-failed')
    assert.match(failure.message, /on another node than pod "shop"/)
  })

  it('says what was not admitted where the agent sees itself alone', () => {
    const alone = explainMissing([seen(1, 1, '0::/\n')], sought, 1)
    assert.equal(alone.kind, 'agent-denied')
    assert.match(alone.data.fix, /hostPID/)
    assert.match(
      explainMissing([], { ...sought, ephemeral: true }, 1).data.fix,
      /^Leave agent\.ephemeral out/,
    )
  })

  it('does not guess at the node without the uid, nor in an ephemeral container', () => {
    const nothing = [seen(4, 1, '0::/\n')]
    assert.equal(explainMissing(nothing, { ...sought, podUid: undefined }, 99).kind, 'target-ended')
    assert.equal(explainMissing(nothing, { ...sought, ephemeral: true }, 99).kind, 'target-ended')
  })
})
