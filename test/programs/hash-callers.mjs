// Callers of hash-server: COUNT requests with bodies of varied sizes, CALLERS at once, each on a kept connection that is now and then a new one.
// Usage: hash-callers.mjs ADDRESS PORT COUNT CALLERS [SEED [EVERY_MS [BODY_BYTES]]]; COUNT 0 goes on until SIGTERM; EVERY_MS is how long each caller
// waits from one request to its next, BODY_BYTES the size of all bodies. Prints one JSON line at its end: {"answered":N,"wrong":N,"failed":N,"errors":[...]}; wrong are those whose answer was not the hash of what was sent.
import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'

const [address, port, count, callers, seed = '1', everyMs = '0', bodyBytes] = process.argv.slice(2)
const total = Number(count) || Number.POSITIVE_INFINITY
const result = { answered: 0, wrong: 0, failed: 0, errors: [] }
let next = 0
let stopping = false
let state = Number(seed) >>> 0 || 1

/** xorshift32: repeatable, good enough to vary sizes. */
function random(below) {
  state ^= state << 13
  state ^= state >>> 17
  state ^= state << 5
  return (state >>> 0) % below
}

function bodySize() {
  if (bodyBytes !== undefined) return Number(bodyBytes)
  const kind = random(100)
  if (kind < 30) return 0
  if (kind < 80) return random(2_000)
  if (kind < 98) return random(30_000)
  return random(300_000)
}

function send(agent, number, body) {
  return new Promise(resolve => {
    const outgoing = request(
      { host: address, port, agent, method: 'POST', path: `/${number}`, timeout: 20_000 },
      response => {
        const parts = []
        response.on('data', part => parts.push(part))
        response.on('end', () => resolve({ digest: Buffer.concat(parts).toString() }))
        response.on('error', error => resolve({ error }))
      },
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within 20 s')))
    outgoing.on('error', error => resolve({ error }))
    outgoing.end(body)
  })
}

async function caller() {
  let agent = new Agent({ keepAlive: true, maxSockets: 1 })
  while (!stopping && next < total) {
    const number = next++
    const body = Buffer.alloc(bodySize(), String(number))
    if (random(20) === 0) {
      agent.destroy()
      agent = new Agent({ keepAlive: true, maxSockets: 1 })
    }
    // How long this caller waits between two requests.
    const pause = Number(everyMs) > 0 && new Promise(resolve => setTimeout(resolve, Number(everyMs)))
    const { digest, error } = await send(agent, number, body)
    if (error) {
      result.failed++
      if (result.errors.length < 10) result.errors.push(`/${number}: ${error.message}`)
    } else if (digest === createHash('sha256').update(body).digest('hex')) result.answered++
    else result.wrong++
    await pause
  }
  agent.destroy()
}

process.on('SIGTERM', () => {
  stopping = true
})
await Promise.all(Array.from({ length: Number(callers) }, caller))
console.log(JSON.stringify(result))
