// The shop's Node service: tells what it was asked and where it runs; counts orders in Redis when REDIS_HOST is set.
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { hostname } from 'node:os'

const port = Number(process.env.PORT ?? 8080)

async function bodyOf(request) {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}

/** INCR in Redis's own protocol; undefined when there is no Redis to ask. */
function countOrder() {
  if (process.env.REDIS_HOST === undefined) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const socket = connect(6379, process.env.REDIS_HOST, () =>
      socket.write('*2\r\n$4\r\nINCR\r\n$6\r\norders\r\n'),
    )
    socket.setTimeout(2000, () => socket.destroy(new Error('Redis is silent')))
    socket.once('data', data => {
      resolve(Number(data.toString().slice(1)))
      socket.end()
    })
    socket.once('error', reject)
  })
}

const server = createServer(async (request, response) => {
  try {
    const { method, url, headers } = request
    const body = await bodyOf(request)
    const orders = method === 'POST' && url?.startsWith('/orders') ? await countOrder() : undefined
    const env = url?.startsWith('/env') ? process.env : undefined
    response.setHeader('content-type', 'application/json')
    response.end(
      `${JSON.stringify({ service: 'checkout', hostname: hostname(), method, path: url, headers, body, orders, env })}\n`,
    )
  } catch (error) {
    response.statusCode = 502
    response.end(`${JSON.stringify({ service: 'checkout', error: String(error) })}\n`)
  }
})
server.listen(port)
process.once('SIGTERM', () => {
  server.close()
  server.closeIdleConnections()
})
