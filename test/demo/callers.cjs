// The demo's callers: each has an address of its own and buys until standard input ends; odd ones keep one connection, even ones open one a request.
// Usage: callers.cjs POD NAME=ADDRESS...; a line on standard input is the label of the requests that follow. Prints one JSON line a request:
// {"item","caller","label","ms"} and "wrong" if the answer was not the pod's own answer to just that request.
const { Agent, request } = require('node:http')
const { createInterface } = require('node:readline')

const [pod, ...callers] = process.argv.slice(2)
const everyMs = 20
let label = 'between'
let stopped = false

function buy(item, localAddress, agent) {
  return new Promise(resolve => {
    const of = label
    const begin = process.hrtime.bigint()
    let caller = ''
    const done = wrong => {
      const ms = Number(process.hrtime.bigint() - begin) / 1e6
      console.log(JSON.stringify({ item, caller, label: of, ms, ...(wrong === undefined ? {} : { wrong }) }))
      resolve()
    }
    const sent = request(
      { host: pod, port: 8080, path: item, localAddress, agent, timeout: 15_000 },
      response => {
        caller = `${response.socket.localAddress}:${response.socket.localPort}`
        let text = ''
        response.on('data', part => {
          text += part
        })
        response.on('end', () => {
          const expected = JSON.stringify({ shop: 'pod', item, caller })
          done(text === expected ? undefined : `answered ${text.slice(0, 100)}`)
        })
        response.on('error', error => done(error.message))
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('no answer within 15 s')))
    sent.on('error', error => done(error.message))
    sent.end()
  })
}

async function live([name, address], index) {
  const agent = new Agent({ keepAlive: index % 2 === 1, maxSockets: 1 })
  for (let number = 1; !stopped; number++) {
    await buy(`/${name}/${number}`, address, agent)
    await new Promise(resolve => setTimeout(resolve, everyMs)) // what a caller thinks about its next purchase
  }
  agent.destroy()
}

createInterface({ input: process.stdin })
  .on('line', line => {
    label = line
  })
  .on('close', () => {
    stopped = true
  })
callers.map(text => text.split('=')).forEach(live)
