// Opens COUNT connections, all before any says something ("at once") or each after the other's end ("in turn"), and says what came of them.
import { connect } from 'node:net'

const [mode, count, host, port] = process.argv.slice(2)
const outcomes = {}
const tell = outcome => {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
}

function open() {
  const socket = connect({ host, port: Number(port) })
  const opened = new Promise(resolve =>
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false)),
  )
  const ended = new Promise(resolve => {
    let heard = ''
    socket.on('data', part => {
      heard += part
    })
    socket
      .on('error', error => tell(error.code))
      .on('close', failed => {
        if (!failed)
          tell(
            /\r\n\r\n\/number from 10\.77\.0\.1\n$/.test(heard) ? 'right' : `wrong ${JSON.stringify(heard)}`,
          )
        resolve()
      })
  })
  return {
    opened,
    ended,
    ask: () => socket.write('GET /number HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'),
  }
}

if (mode === 'at once') {
  const all = Array.from({ length: Number(count) }, open)
  await Promise.all(all.map(({ opened }) => opened))
  for (const { ask } of all) ask()
  await Promise.all(all.map(({ ended }) => ended))
} else
  for (let number = 0; number < Number(count); number++) {
    const { opened, ended, ask } = open()
    if (await opened) ask()
    await ended
  }
console.log(
  Object.entries(outcomes)
    .map(([outcome, times]) => `${times} ${outcome}`)
    .join(', '),
)
