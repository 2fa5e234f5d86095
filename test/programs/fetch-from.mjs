// Asks for each URL by Node's fetch or by undici's request, as the first argument says, and prints the answer or what went wrong.
import { lookup } from 'node:dns/promises'
import { Agent, Client, request } from 'undici'

const [by, limit, ...urls] = process.argv.slice(2)
// Undici hears of a signal only when an attempt to connect is over.
const connect = { timeout: Number(limit) }
const signal = () => AbortSignal.timeout(Number(limit))

const ask = {
  fetch: async url => {
    const answer = await fetch(url, { signal: signal() })
    return `${answer.status} ${await answer.text()}`
  },
  undici: async url => {
    const { statusCode, body } = await request(url, { dispatcher: new Agent({ connect }), signal: signal() })
    return `${statusCode} ${await body.text()}`
  },
  // Ten requests in one connection, none waiting for the one before.
  pipelined: async url => {
    const { origin, pathname } = new URL(url)
    const client = new Client(origin, { pipelining: 10, connect })
    const answers = Array.from({ length: 10 }, (_, number) =>
      client.request({ path: `${pathname}/${number}`, method: 'GET', signal: signal() }),
    )
    try {
      const texts = await Promise.all(answers.map(async answer => (await answer).body.text()))
      return texts.join('')
    } finally {
      await client.destroy()
    }
  },
}[by]

let code = 0
for (const url of urls)
  await ask(url).then(
    text => console.log(text.trim()),
    async error => {
      const cause = error.cause ?? error
      const all = cause.errors ?? [cause]
      for (const each of all) console.log(each.name, each.code, each.syscall, each.message)
      code = 1
    },
  )
// The name as getaddrinfo has it, beside what became of the request.
console.log(
  await lookup(new URL(urls[0]).hostname).then(
    ({ address }) => address,
    error => error.code,
  ),
)
// An attempt to connect that was given up would live on until its own time is over.
process.exit(code)
