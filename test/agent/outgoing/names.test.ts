// Questions that the agent carries: by datagram, by connection where the answer is too long or nobody takes datagrams, and the errno where nobody answers.
import assert from 'node:assert/strict'
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { carryNames } from '../../../agent/outgoing/names.ts'
import type { LinkStream } from '../../../protocol/link/link-stream.ts'
import { splitMessages, withLength } from '../../../protocol/names/messages.ts'

const address = '127.0.0.1'

/** A header of 12 bytes with that id, and a tail to tell messages apart. */
const message = (id: number, flags: number, tail: string): Buffer => {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(flags, 2)
  return Buffer.concat([header, Buffer.from(tail)])
}

type Nameserver = { datagrams: DatagramSocket; server: Server; port: number }

/** One port for both; another program may have the one that was found free for datagrams. */
async function startNameserver(tries = 20): Promise<Nameserver> {
  const datagrams = createSocket('udp4')
  datagrams.bind(0, address)
  await once(datagrams, 'listening')
  const { port } = datagrams.address()
  const server = createServer().listen(port, address)
  try {
    await once(server, 'listening')
    return { datagrams, server, port }
  } catch (error) {
    datagrams.close()
    if (tries > 1) return startNameserver(tries - 1)
    throw error
  }
}

describe('carryNames()', () => {
  let datagrams: DatagramSocket | undefined
  let server: Server | undefined
  let port: number
  beforeEach(async () => {
    ;({ datagrams, server, port } = await startNameserver())
  })
  afterEach(() => {
    datagrams?.close()
    server?.close()
  })

  /** Sends questions, and resolves when so many answers came, or with the reason of the reset. */
  function carried(questions: Buffer[], answers: number, withinMs = 5_000): Promise<string[] | string> {
    return new Promise(resolve => {
      const got: string[] = []
      const split = splitMessages(answer => {
        got.push(answer.subarray(12).toString())
        if (got.length === answers) resolve(got)
      })
      const stream = {
        write: ({ bytes }: { bytes: Buffer }) => split(bytes),
        grant() {},
        end() {},
        reset: (reason: string) => resolve(reason),
      } as unknown as LinkStream
      carryNames(stream, { nameserver: { address, port }, withinMs })
      stream.events!.data({ bytes: Buffer.concat(questions.map(withLength)) })
    })
  }

  it('each gets its own answer, in whatever order they come', async () => {
    const held: (() => void)[] = []
    datagrams!.on('message', (question, from) => {
      const answer = message(question.readUInt16BE(0), 0x8000, `to ${question.subarray(12)}`)
      held.unshift(() => datagrams!.send(answer, from.port, from.address))
      if (held.length === 3) for (const send of held) send()
    })
    const questions = [1, 2, 3].map(id => message(id, 0, `question ${id}`))
    assert.deepEqual(((await carried(questions, 3)) as string[]).sort(), [
      'to question 1',
      'to question 2',
      'to question 3',
    ])
  })

  it('what is no answer to it is not taken for one', async () => {
    datagrams!.on('message', (question, from) => {
      const id = question.readUInt16BE(0)
      for (const answer of [
        message(id + 1, 0x8000, 'another id'),
        message(id, 0, 'a question'),
        Buffer.from('short'),
      ])
        datagrams!.send(answer, from.port, from.address)
      datagrams!.send(message(id, 0x8000, 'right'), from.port, from.address)
    })
    assert.deepEqual(await carried([message(7, 0, 'x')], 1), ['right'])
  })

  it('a lost datagram is sent again', async () => {
    let count = 0
    datagrams!.on('message', (question, from) => {
      count += 1
      if (count === 2)
        datagrams!.send(message(question.readUInt16BE(0), 0x8000, 'late'), from.port, from.address)
    })
    assert.deepEqual(await carried([message(7, 0, 'x')], 1), ['late'])
  })

  const answerByConnection = () =>
    server!.on('connection', socket => {
      const split = splitMessages(question =>
        socket.write(withLength(message(question.readUInt16BE(0), 0x8000, 'y'.repeat(40_000)))),
      )
      socket.on('data', split)
    })

  it('one that is too long for a datagram comes by connection', async () => {
    answerByConnection()
    datagrams!.on('message', (question, from) =>
      datagrams!.send(message(question.readUInt16BE(0), 0x8200, 'cut'), from.port, from.address),
    )
    assert.deepEqual(await carried([message(7, 0, 'x')], 1), ['y'.repeat(40_000)])
  })

  it('and is given as it is where no connection is taken', async () => {
    server!.close()
    await once(server!, 'close')
    server = undefined
    datagrams!.on('message', (question, from) =>
      datagrams!.send(message(question.readUInt16BE(0), 0x8200, 'cut'), from.port, from.address),
    )
    assert.deepEqual(await carried([message(7, 0, 'x')], 1), ['cut'])
  })

  it('a nameserver that takes no datagrams is asked by connection', async () => {
    answerByConnection()
    datagrams!.close()
    datagrams = undefined
    assert.deepEqual(await carried([message(7, 0, 'x')], 1), ['y'.repeat(40_000)])
  })

  it('nobody there is ECONNREFUSED, and no answer in time ETIMEDOUT', async () => {
    server!.close()
    await once(server!, 'close')
    server = undefined
    assert.equal(await carried([message(7, 0, 'x')], 1, 50), 'ETIMEDOUT')
    datagrams!.close()
    datagrams = undefined
    assert.equal(await carried([message(7, 0, 'x')], 1), 'ECONNREFUSED')
  })

  it('what is no DNS message ends it with a reason', async () => {
    assert.equal(await carried([Buffer.from('tiny')], 1), 'what was asked is no DNS message')
  })
})
