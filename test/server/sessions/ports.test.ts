// Which of the pod's ports are wanted, mapped and captured.
import assert from 'node:assert/strict'
import type { SessionConfig } from '../../../protocol/config.ts'
import {
  capturedPorts,
  portRules,
  processPortOf,
  wantedPodPorts,
  wantedProcessPorts,
} from '../../../server/sessions/ports.ts'

type Incoming = NonNullable<NonNullable<NonNullable<SessionConfig['feature']>['network']>['incoming']>
const rules = (incoming?: Incoming) =>
  portRules(incoming === undefined ? {} : { feature: { network: { incoming } } })

describe('wantedPodPorts()', () => {
  it('are those that the pod listens on', () =>
    assert.deepEqual(wantedPodPorts(rules(), [81, 80, 80]), [80, 81]))
  it('are none when incoming is off', () => {
    assert.deepEqual(wantedPodPorts(rules('off'), [80]), [])
    assert.deepEqual(wantedPodPorts(rules({ mode: 'off' }), [80]), [])
  })
  it('are only those that the configuration names, listened on or not', () => {
    assert.deepEqual(wantedPodPorts(rules({ ports: [80, 90] }), [80, 81]), [80, 90])
  })
  it('are without the ignored ones', () => {
    assert.deepEqual(wantedPodPorts(rules({ ignore_ports: [81] }), [80, 81]), [80])
  })
  it('include those that are mapped, though the pod does not listen on them yet', () => {
    assert.deepEqual(wantedPodPorts(rules({ port_mapping: [[3000, 90]] }), [80]), [80, 90])
  })
})

describe('wantedProcessPorts()', () => {
  it('are mapped from [process port, pod port]', () => {
    const mapped = rules({ port_mapping: [[3000, 80]] })
    assert.deepEqual(wantedProcessPorts(mapped, [80, 81]), [81, 3000])
    assert.equal(processPortOf(mapped, 80), 3000)
    assert.equal(processPortOf(mapped, 81), 81)
  })
})

describe('capturedPorts()', () => {
  const facts = { podPorts: [80, 81], listening: [], viewing: false }
  it('are none while nobody listens or views', () => assert.deepEqual(capturedPorts(rules(), facts), []))
  it('are those on which a process listens, mapped', () => {
    const mapped = rules({ port_mapping: [[3000, 80]] })
    assert.deepEqual(capturedPorts(mapped, { ...facts, listening: [3000, 9229] }), [80])
    assert.deepEqual(capturedPorts(mapped, { ...facts, listening: [80] }), [])
  })
  it("are all of the pod's while someone views, though nothing is to arrive, but not the ignored ones", () => {
    assert.deepEqual(capturedPorts(rules('off'), { ...facts, viewing: true }), [80, 81])
    assert.deepEqual(capturedPorts(rules({ ignore_ports: [81] }), { ...facts, viewing: true }), [80])
  })
})
