// Which container a process belongs to, by cgroup paths as runtimes make them.
import assert from 'node:assert/strict'
import {
  containerOf,
  containerPath,
  isInside,
  isOfContainer,
  isOfPod,
} from '../../../agent/targets/cgroup.ts'
import { cgroupOf } from '../../../agent/targets/scope.ts'

const id = '04d6a977af5ffd215dd1ce58f262667c3d28ccd86a27388fba81bf6d791b56fa'
const other = '7472fc597a7533b2b7e00eff625bb5e2ea67a3ac864bcdc290736eee0ce54ea5'

describe('containerOf()', () => {
  const cases: readonly (readonly [string, string, string | undefined])[] = [
    ['docker with cgroupfs', `4:memory:/docker/${id}\n0::/\n`, 'docker'],
    ['docker with systemd', `0::/system.slice/docker-${id}.scope\n`, 'docker'],
    [
      'podman with cgroupfs',
      `9:name=systemd:/libpod_parent/libpod-${id}\n8:pids:/libpod_parent/libpod-${id}\n`,
      'podman',
    ],
    ['podman with systemd', `0::/machine.slice/libpod-${id}.scope/container\n`, 'podman'],
    [
      'containerd of Kubernetes with systemd',
      `0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-${id}.scope\n`,
      'containerd',
    ],
    ['containerd of Kubernetes with cgroupfs', `4:memory:/kubepods/burstable/pod12-34/${id}\n`, 'containerd'],
    ["containerd's own namespace of Kubernetes", `4:memory:/k8s.io/${id}\n`, 'containerd'],
    ['CRI-O', `0::/kubepods.slice/crio-${id}.scope\n`, 'cri-o'],
    ['nerdctl', `0::/user.slice/nerdctl-${id}.scope\n`, 'nerdctl'],
    ['an unknown runtime', `0::/something/${id}\n`, undefined],
  ]
  for (const [name, cgroups, runtime] of cases)
    it(`knows ${name}`, () => {
      assert.deepEqual(containerOf(cgroups), runtime === undefined ? { id } : { id, runtime })
    })

  it('takes the innermost of two', () => {
    const cgroups = `4:memory:/docker/${other}/kubepods/pod1/${id}\n`
    assert.deepEqual(containerOf(cgroups), { id, runtime: 'containerd' })
  })

  it("does not take podman's monitor or an ordinary service for a container", () => {
    assert.equal(containerOf(`0::/machine.slice/libpod-conmon-${id}.scope\n`), undefined)
    assert.equal(
      containerOf('4:memory:/process_api/1635eaa7d6c10a441452160bd1a081a3\n0::/system.slice/ssh.service\n'),
      undefined,
    )
    assert.equal(containerOf(''), undefined)
  })
})

describe('containerPath() and isInside()', () => {
  it("tell a container's processes from its neighbours'", () => {
    const path = containerPath(`0::/machine.slice/libpod-${id}.scope/container\n`, id)
    assert.equal(path, `/machine.slice/libpod-${id}.scope`)
    assert.equal(isInside(`0::/machine.slice/libpod-${id}.scope/other\n`, path!), true)
    assert.equal(isInside(`0::/machine.slice/libpod-${other}.scope\n`, path!), false)
    assert.equal(isInside(`0::/machine.slice/libpod-${id}.scope-2\n`, path!), false)
  })

  it('find the cgroup that plain containerd names by namespace and id', () => {
    assert.equal(containerPath('9:name=systemd:/shopns/web\n0::/shopns/web\n', 'web'), '/shopns/web')
    assert.equal(containerPath('0::/user.slice\n', 'web'), undefined)
  })
})

describe('isOfContainer() and isOfPod()', () => {
  const uid = '6a1b2c3d-0000-4000-8000-1234567890ab'
  const forms = [
    `0::/kubepods.slice/kubepods-pod${uid.replaceAll('-', '_')}.slice/cri-containerd-${id}.scope\n`,
    `0::/../../kubepods-burstable-pod${uid.replaceAll('-', '_')}.slice/crio-${id}.scope/init.scope\n`,
    `11:pids:/node-b/kubepods/besteffort/pod${uid}/${id}\n0::/\n`,
  ]
  for (const form of forms)
    it(`know ${form.slice(0, 40)}...`, () => {
      assert.equal(isOfContainer(form, id), true)
      assert.equal(isOfContainer(form, other), false)
      assert.equal(isOfPod(form, uid), true)
      assert.equal(isOfPod(form, uid.replace('6a', '7a')), false)
    })
})

describe('cgroupOf()', () => {
  it('takes the inner cgroup when a container runs in another one', () => {
    assert.equal(cgroupOf(`0::/docker/${other}/shopns/web\n`, 'web', '0::/\n'), `/docker/${other}/shopns/web`)
    assert.equal(cgroupOf(`0::/docker/${id}\n`, 'docker', '0::/\n'), `/docker/${id}`)
  })

  it('takes none that we are in ourselves, for it tells nothing apart', () => {
    assert.equal(cgroupOf(`0::/docker/${id}\n`, 'web', `0::/docker/${id}\n`), undefined)
    assert.equal(cgroupOf('0::/\n', 'web', '0::/\n'), undefined)
  })
})
