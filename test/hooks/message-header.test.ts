// struct msghdr as bytes: read as a process writes it, and written for our own calls.
import assert from 'node:assert/strict'
import { readMessageHeader, writeMessageHeader } from '../../hooks/message-header.ts'

// As a program on x86-64 lays it out: a name of 16 bytes, two pieces and no control data.
const laidOut =
  '903ba5f1fc7f0000 10000000 00000000 703ba5f1fc7f0000 0200000000000000 0000000000000000 0000000000000000 00000000 00000000'

describe('a message header', () => {
  it('is read as programs write it', () => {
    assert.deepEqual(readMessageHeader(Buffer.from(laidOut.replaceAll(' ', ''), 'hex')), {
      ...{ name: 0x7ffcf1a53b90n, nameLength: 16, pieces: 0x7ffcf1a53b70n, pieceCount: 2 },
      ...{ control: 0n, controlLength: 0 },
    })
  })
  it('of ours has one piece', () => {
    const own = { name: 0x1000n, nameLength: 28, piece: 0x2000n, control: 0x3000n, controlLength: 64 }
    assert.equal(
      writeMessageHeader(own).toString('hex'),
      '0010000000000000 1c000000 00000000 0020000000000000 0100000000000000 0030000000000000 4000000000000000 00000000 00000000'.replaceAll(
        ' ',
        '',
      ),
    )
  })
})
