// Talks to ADDRESS PORT in numbered lines, which must come back in order; makes another connection each second, and looks NAME up; says what
// becomes of each.
// After SECONDS it ends the talk and says how many lines came back.
import { lookup } from 'node:dns'
import { connect } from 'node:net'

const [host, port, name, seconds] = process.argv.slice(2)
const to = { host, port: Number(port) }

let sent = 0
let heard = 0
let rest = ''
const talk = connect(to)
const every = setInterval(() => talk.write(`${sent++}\n`), 20)
talk.setEncoding('latin1').on('data', part => {
  const lines = (rest + part).split('\n')
  rest = lines.pop()
  for (const line of lines) {
    if (line !== String(heard)) throw new Error(`line ${line} came in the place of ${heard}`)
    heard += 1
  }
})
talk.on('error', error => console.log(`talk ${error.code}`))
talk.on('close', failed => {
  clearInterval(every)
  if (!failed) console.log(`talk ended, ${heard === sent ? 'all' : `${heard} of ${sent}`} came back`)
})
setTimeout(() => {
  clearInterval(every)
  talk.end()
}, Number(seconds) * 1000)

function probe() {
  const tell = watch('probe')
  const made = connect(to)
  made.on('connect', () => {
    tell('connected')
    made.destroy()
  })
  made.on('error', error => tell(error.code))
}

/** One after the other, for the threads that wait for answers are few. */
function look() {
  const tell = watch('lookup')
  lookup(name, error => {
    tell(error?.code ?? 'found')
    setTimeout(look, 1000)
  })
}

function watch(what) {
  const begun = performance.now()
  return became => console.log(`${what} ${became} after ${Math.round((performance.now() - begun) / 1000)} s`)
}

setInterval(probe, 1000)
look()
