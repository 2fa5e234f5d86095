// A small interpreter of classic BPF over struct seccomp_data, enough to run the generated filters without a kernel.

export type TrappedCall = { arch: number; nr: number; args?: readonly bigint[] }

/** The filter's return value for a call; throws on an instruction or a jump that the kernel would refuse. */
export function runFilter(program: Buffer, { arch, nr, args = [] }: TrappedCall): number {
  const facts = Buffer.alloc(64)
  facts.writeUInt32LE(nr, 0)
  facts.writeUInt32LE(arch, 4)
  for (const [index, value] of args.entries()) facts.writeBigUInt64LE(value, 16 + 8 * index)
  let accumulator = 0
  for (let place = 0; place < program.length / 8; place++) {
    const code = program.readUInt16LE(8 * place)
    const k = program.readUInt32LE(8 * place + 4)
    const jump = (holds: boolean) => program.readUInt8(8 * place + (holds ? 2 : 3))
    if (code === 0x06) return k
    if (code === 0x20) accumulator = facts.readUInt32LE(k)
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0
    else if (code === 0x15) place += jump(accumulator === k)
    else if (code === 0x35) place += jump(accumulator >= k)
    else if (code === 0x45) place += jump((accumulator & k) !== 0)
    else throw new Error(`instruction 0x${code.toString(16)} at ${place} is unknown`)
  }
  throw new Error('the filter ended without a return')
}
