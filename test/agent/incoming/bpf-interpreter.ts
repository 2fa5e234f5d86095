// Runs a classic BPF program over a packet as the kernel does, for the instructions that the capture's filter is made of.
import type { Instruction } from '../../../agent/incoming/bpf-program.ts'

/** Ancillary facts of linux/filter.h, by their offset from SKF_AD_OFF. */
export type Facts = { protocol: number; packetType: number; interfaceIndex: number }

/** The returned number of bytes; 0, as in the kernel, when a load leaves the packet. `steps` counts instructions. */
export function runFilter(
  program: readonly Instruction[],
  packet: Buffer,
  facts: Facts,
): { bytes: number; steps: number } {
  const ancillary: Record<number, number> = {
    0: facts.protocol,
    4: facts.packetType,
    8: facts.interfaceIndex,
  }
  const cells = new Uint32Array(16)
  let [a, x, at, steps] = [0, 0, 0, 0]
  for (;;) {
    const { code, jt, jf, k } = program[at++]!
    steps++
    const signed = k | 0
    switch (code) {
      case 0x20:
        if (signed < 0) a = ancillary[signed + 0x1000]!
        else if (k + 4 > packet.length) return { bytes: 0, steps }
        else a = packet.readUInt32BE(k)
        break
      case 0x28:
        if (k + 2 > packet.length) return { bytes: 0, steps }
        a = packet.readUInt16BE(k)
        break
      case 0x40:
        if (x + k + 4 > packet.length) return { bytes: 0, steps }
        a = packet.readUInt32BE(x + k)
        break
      case 0x48:
        if (x + k + 2 > packet.length) return { bytes: 0, steps }
        a = packet.readUInt16BE(x + k)
        break
      case 0x50:
        if (x + k + 1 > packet.length) return { bytes: 0, steps }
        a = packet.readUInt8(x + k)
        break
      case 0x00:
        a = k
        break
      case 0x01:
        x = k
        break
      case 0x02:
        cells[k] = a
        break
      case 0x60:
        a = cells[k]!
        break
      case 0x54:
        a = (a & k) >>> 0
        break
      case 0x64:
        a = (a << k) >>> 0
        break
      case 0x04:
        a = (a + k) >>> 0
        break
      case 0x0c:
        a = (a + x) >>> 0
        break
      case 0x07:
        x = a
        break
      case 0x05:
        at += k
        break
      case 0x15:
        at += a === k ? jt : jf
        break
      case 0x25:
        at += a > k ? jt : jf
        break
      case 0x45:
        at += (a & k) !== 0 ? jt : jf
        break
      case 0x06:
        return { bytes: k, steps }
      default:
        throw new RangeError(
          `Cannot run instruction ${at - 1}: code 0x${code.toString(16)} is not known here`,
        )
    }
  }
}
