// Runs in the caller's pod: asks URL every MS milliseconds, on fresh connections and on a kept one, and tells its counts on port 8080.
const http = require('node:http')

const [url, everyMs] = process.argv.slice(1)
const loop = () => ({ requests: 0, failures: [], failed: 0, slowestMs: 0 })
const counts = { fresh: loop(), kept: loop() }
const agents = {
  fresh: new http.Agent({ keepAlive: false }),
  kept: new http.Agent({ keepAlive: true, maxSockets: 1, timeout: 60_000 }),
}

function fail(count, why) {
  count.failed += 1
  if (count.failures.length < 20) count.failures.push({ at: new Date().toISOString(), why })
}

function ask(kind) {
  return new Promise(resolve => {
    const count = counts[kind]
    const began = performance.now()
    count.requests += 1
    const end = why => {
      if (why !== undefined) fail(count, why)
      count.slowestMs = Math.max(count.slowestMs, Math.round(performance.now() - began))
      resolve()
    }
    const request = http.get(url, { agent: agents[kind], timeout: 5000 }, response => {
      response.on('error', error => end(String(error)))
      response.on('end', () => end(response.statusCode >= 500 ? `status ${response.statusCode}` : undefined))
      response.resume()
    })
    // A second request on a kept connection has no other socket: one that was closed under us shows as ECONNRESET here.
    request.on('timeout', () => request.destroy(new Error('no answer in 5 s')))
    request.on('error', error => end(String(error)))
  })
}

async function repeat(kind) {
  for (;;) {
    const next = new Promise(resolve => setTimeout(resolve, Number(everyMs)))
    await ask(kind)
    await next
  }
}

// What is not up yet is not a failure: the loops begin after the first answer.
async function begin() {
  for (;;) {
    const up = await new Promise(resolve => {
      http
        .get(url, { timeout: 1000 }, response => {
          response.resume()
          resolve(response.statusCode < 500)
        })
        .on('timeout', function () {
          this.destroy()
        })
        .on('error', () => resolve(false))
    })
    if (up) break
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  repeat('fresh')
  repeat('kept')
}

http
  .createServer((request, response) => {
    const ready = counts.fresh.requests > 0 && counts.kept.requests > 0
    response.statusCode = request.url === '/ready' && !ready ? 503 : 200
    response.end(JSON.stringify(counts))
  })
  .listen(8080)
begin()
