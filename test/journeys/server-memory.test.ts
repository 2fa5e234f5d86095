// A client that asks for everything and grants nothing costs the real server bounded memory.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { markRun, processesOf, untilNothing } from '../stage/leftovers.ts'
import { linesOf } from '../stage/lines.ts'
import { type RawServer, startRawServer } from '../stage/raw-server.ts'

const run = markRun()
const ours = () => processesOf(run.value).filter(({ program }) => program !== 'other')
const bodyBytes = 32_768
const answers = 2_000
/** Fewer than what is captured without a loss, so that the views get all of it. */
const atOnce = 50
/** What two views may keep (4 MiB each) and the JavaScript heap's slack; all the bodies in both are 125 MiB and more. */
const mostMiB = 70

/** A pod that answers with large bodies, and asks itself when told to. */
const script = `
  const http = require("node:http")
  const body = Buffer.alloc(${bodyBytes}, "x")
  const get = () => new Promise((done, fail) =>
    http.get({ port: 8080, agent: false }, answer => answer.resume().on("end", done)).on("error", fail))
  http.createServer((_, answer) => answer.end(body)).listen(8080, () => console.log("listening"))
  process.stdin.on("data", async text => {
    for (let left = Number(text); left > 0; left--) await get()
  })`

describe('a view of the traffic that is never granted credit', () => {
  let server: RawServer
  let pod: ChildProcess
  before(() => {
    server = startRawServer(['--stdio'], run.environment)
    pod = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] })
  })
  after(async () => {
    server.child.stdin?.end()
    await server.ended
    const gone = once(pod, 'exit')
    pod.kill('SIGKILL')
    await gone
    await untilNothing('processes of standin', ours)
  })

  it('costs the server no more memory than its bound, sends nothing, and says in the end what was lost', async () => {
    const lines = linesOf(pod.stdout)
    await lines.until('the pod', line => line === 'listening')
    const { client } = server
    await client.ask('initialize', {})
    const { result } = await client.ask('startSession', { target: `process/${pod.pid}` })
    const { sessionId } = result ?? {}
    const view = async (options: object) =>
      (await client.ask('streamTraffic', { sessionId, ...options })).result?.trafficId
    const watching = await view({ credit: 1e9 })
    const silent = [await view({ credit: 0, bodyBytes }), await view({ credit: 0, bodyBytes })]
    const seen = linesOf()
    client.onMessage = ({ method, params }) => {
      if (method !== 'traffic/events') return
      assert.equal(params?.trafficId, watching, 'a view without credit was sent events')
      const events = params?.events as { event: string; side?: string }[]
      for (const { event, side } of events) if (event === 'response' && side === 'pod') seen.add('answer')
    }
    // The capture begins after the answer; callers come until one is seen.
    const callers = setInterval(() => pod.stdin?.write('1'), 200)
    await seen.until('an answer', () => true).finally(() => clearInterval(callers))
    const ask = async (count: number) => {
      for (let left = count; left > 0; left -= atOnce) {
        const before = seen.all.length
        pod.stdin?.write(String(atOnce))
        await seen.untilCount('answers', before + atOnce, () => true)
      }
    }
    await ask(answers / 4)
    const before = residentMiB(server.child.pid)
    await ask(answers)
    const grown = residentMiB(server.child.pid) - before
    assert.ok(grown < mostMiB, `${grown} MiB more after ${answers} answers of 32 KiB`)
    for (const trafficId of silent) {
      const { dropped } = (await client.ask('stopTraffic', { trafficId })).result ?? {}
      assert.ok(Number(dropped) >= 2 * answers, `only ${dropped} events were lost`)
    }
  }).timeout(120_000)
})

function residentMiB(pid: number | undefined): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) >> 10
}
