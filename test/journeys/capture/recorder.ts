// Mirrors the network namespace that it runs in, and prints one JSON line for each stream that ended, with the hash of its bytes.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { openMirror } from '../../../agent/incoming/mirror.ts'
import type { Subscription } from '../../../agent/incoming/subscription.ts'

const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`)

const mirror = openMirror({
  openStream(opened) {
    const hash = createHash('sha256')
    let [bytes, skipped] = [0, 0]
    const over = (end: string) => say({ ...opened, bytes, skipped, end, sha256: hash.digest('hex') })
    return {
      data(chunk) {
        hash.update(chunk)
        bytes += chunk.length
      },
      skipped(count) {
        skipped += count
      },
      end: () => over('end'),
      reset: over,
    }
  },
  onNotice: notice => say({ notice }),
})

/** Each line is a subscription, or asks for the counters; the end of input ends the mirror. */
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'counters') say({ counters: await mirror.counters() })
  else {
    await mirror.subscribe(JSON.parse(line) as Subscription)
    say({ subscribed: true })
  }
}
await mirror.close()
say({ closed: await mirror.counters() })
