// Carries one process's connection to a nameserver: questions of this machine's names are answered here, the others go by the stream; what names resolve to is learned before the process hears of it.
import type { Socket } from 'node:net'
import { resetSocket } from '../../protocol/link/join.ts'
import type { LinkStream } from '../../protocol/link/link-stream.ts'
import { splitMessages, withLength } from '../../protocol/names/messages.ts'
import type { Choice } from './choice.ts'
import { answerHere } from './here.ts'
import type { Lookups } from './lookups.ts'
import { type Found, readQuestion, readReply } from './wire.ts'

export type TalkOptions = {
  /** Who answers for a name. */
  choose(name: string): Choice
  readonly lookups: Lookups
  /**
   * Resolves when connections to these addresses are decided by that name; rejects when that cannot be had. Undefined is an answer that cannot
   * be read.
   */
  learned(found: Found | undefined): Promise<void>
  /** Milliseconds that a question may take as far as the agent is concerned; a link that is away may not make it longer for ever. */
  withinMs: number
  /** The nameserver gave that errno, or the link what is wrong with it. */
  failed(reason: string): void
  over(): void
}

/** The agent says that a nameserver does not answer, and that takes its way. */
const linkMarginMs = 1_000
/** A program that asks more at once on one connection is read no further until some of it has its answer. */
const mostOpen = 256
const highWaterBytes = 1 << 20

export function carryTalk(stream: LinkStream, socket: Socket, options: TalkOptions): void {
  /** Answers on their way to the process, and those of them that the stream's end does not wait for. */
  const giving = { all: 0, own: 0 }
  const ended = { asking: false, answering: false }
  let over = false
  /** Questions that went to the agent. */
  let open = 0
  let timer: NodeJS.Timeout | undefined
  const wait = () => {
    clearTimeout(timer)
    const late = () => {
      options.failed('ETIMEDOUT')
      reset('ETIMEDOUT')
    }
    timer = open > 0 ? setTimeout(late, options.withinMs + linkMarginMs) : undefined
  }
  const reset = (reason: string) => {
    if (over) return
    over = true
    clearTimeout(timer)
    options.lookups.failed(reason)
    stream.reset(reason)
    resetSocket(socket)
  }
  const endWhenGiven = () => {
    if (ended.asking && giving.own === 0 && !over) stream.end()
    if (ended.answering && giving.all === 0 && !over) socket.end()
  }
  /** In whatever order: messages are known by their ids. */
  const give = async (message: Promise<{ bytes: Buffer; file?: string }>, own: 0 | 1) => {
    giving.all += 1
    giving.own += own
    try {
      const { bytes, file } = await message
      const reply = readReply(bytes)
      await options.learned(reply)
      options.lookups.answered(bytes, reply, file)
      if (!over) socket.write(withLength(bytes))
    } catch (thrown) {
      reset(thrown instanceof Error ? thrown.message : String(thrown))
    } finally {
      giving.all -= 1
      giving.own -= own
      resumeWhenFew()
      endWhenGiven()
    }
  }
  const ask = splitMessages(bytes => {
    const question = readQuestion(bytes)
    const choice = question && options.choose(question.name)
    if (question !== undefined && choice !== undefined) options.lookups.asked(question, choice)
    if (question !== undefined && choice?.where === 'here') void give(answerHere(question), 1)
    else if (!over) {
      stream.write({ bytes: withLength(bytes) })
      open += 1
      wait()
    }
  })
  const hear = splitMessages(bytes => {
    open -= 1
    wait()
    void give(Promise.resolve({ bytes }), 0)
  })
  stream.events = {
    data: ({ bytes }) => {
      stream.grant(bytes.length)
      hear(bytes)
    },

    end: () => {
      ended.answering = true
      endWhenGiven()
    },
    reset: reason => {
      options.failed(reason)
      reset(reason)
    },
  }
  const isFull = () => open + giving.all >= mostOpen || socket.writableLength > highWaterBytes
  const resumeWhenFew = () => {
    if (socket.isPaused() && !isFull()) socket.resume()
  }
  socket.on('data', bytes => {
    ask(bytes)
    if (isFull()) socket.pause()
  })
  socket.on('drain', resumeWhenFew)
  socket.on('end', () => {
    ended.asking = true
    endWhenGiven()
  })
  // What the process closed before its answer came it does not wait for.
  const givenUp = () => options.lookups.failed()
  socket.on('error', givenUp)
  socket.on('error', error => reset((error as NodeJS.ErrnoException).code ?? error.message))
  socket.on('close', () => {
    clearTimeout(timer)
    givenUp()
    if (!socket.readableEnded || !socket.writableFinished) reset('ECONNRESET')
    options.over()
  })
}
