// A small assembler for classic BPF: instructions with named places to jump to, and the bytes that the kernel takes.

/** Instruction classes, sizes and modes by their names in linux/bpf_common.h. */
export const BPF = {
  LD: 0x00,
  LDX: 0x01,
  ST: 0x02,
  ALU: 0x04,
  JMP: 0x05,
  RET: 0x06,
  MISC: 0x07,
  W: 0x00,
  H: 0x08,
  B: 0x10,
  IMM: 0x00,
  ABS: 0x20,
  IND: 0x40,
  MEM: 0x60,
  ADD: 0x00,
  AND: 0x50,
  LSH: 0x60,
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JSET: 0x40,
  K: 0x00,
  X: 0x08,
  TAX: 0x00,
} as const

/** BPF_MAXINSNS of linux/bpf_common.h. */
export const maxInstructions = 4096

/** struct sock_filter: code(2) jt(1) jf(1) k(4). */
export type Instruction = { code: number; jt: number; jf: number; k: number }

/** One line of source: a place, a plain instruction, or a jump to places (`undefined` is the next line). */
export type Line =
  | { place: string }
  | { code: number; k: number }
  | { test: number; k: number; yes?: string; no?: string }
  | { jump: string }

export const place = (name: string): Line => ({ place: name })
export const op = (code: number, k = 0): Line => ({ code, k: k >>> 0 })
export const jump = (to: string): Line => ({ jump: to })
export const jumpIf = (test: number, k: number, to: { yes?: string; no?: string }): Line => ({
  test: BPF.JMP | test | BPF.K,
  k,
  ...to,
})

/**
 * Resolves places. Conditional jumps reach 255 instructions; a longer one goes through a plain jump (32 bits) right behind it.
 * Which ones are too long depends on how many were lengthened, so it repeats until nothing changes; lengths only grow, so it ends.
 */
export function assemble(lines: readonly Line[]): Instruction[] {
  const long = new Set<string>()
  for (;;) {
    const addresses = addressesOf(lines, long)
    const before = long.size
    const program = emit(lines, addresses.lines, addresses.places, long)
    if (long.size > before) continue
    if (program.length > maxInstructions)
      throw new RangeError(
        `Cannot assemble filter: ${program.length} instructions, the kernel takes ${maxInstructions}`,
      )
    return program
  }
}

const yesKey = (index: number) => `${index} yes`
const noKey = (index: number) => `${index} no`

function addressesOf(lines: readonly Line[], long: ReadonlySet<string>) {
  const places = new Map<string, number>()
  const addresses: number[] = []
  let at = 0
  lines.forEach((line, index) => {
    addresses.push(at)
    if ('place' in line) places.set(line.place, at)
    else at += 1 + Number(long.has(yesKey(index))) + Number(long.has(noKey(index)))
  })
  return { places, lines: addresses }
}

function emit(
  lines: readonly Line[],
  addresses: readonly number[],
  places: ReadonlyMap<string, number>,
  long: Set<string>,
) {
  const program: Instruction[] = []
  const placeOf = (name: string) => {
    const found = places.get(name)
    if (found === undefined) throw new RangeError(`Cannot assemble filter: no place is named "${name}"`)
    return found
  }
  lines.forEach((line, index) => {
    if ('place' in line) return
    if ('code' in line) program.push({ code: line.code, jt: 0, jf: 0, k: line.k })
    else if ('jump' in line)
      program.push({ code: BPF.JMP | BPF.JA, jt: 0, jf: 0, k: placeOf(line.jump) - addresses[index]! - 1 })
    else program.push(...conditional(line, index, addresses[index]!, placeOf, long))
  })
  return program
}

function conditional(
  line: { test: number; k: number; yes?: string; no?: string },
  index: number,
  address: number,
  placeOf: (name: string) => number,
  long: Set<string>,
): Instruction[] {
  const hops = ([yesKey(index), noKey(index)] as const).filter(key => long.has(key))
  const result: Instruction[] = [{ code: line.test, jt: 0, jf: 0, k: line.k }]
  const reach = (to: string | undefined, key: string): number => {
    const distance = to === undefined ? hops.length : placeOf(to) - address - 1
    if (!long.has(key)) {
      if (distance > 255) long.add(key)
      return distance & 255
    }
    const hop = hops.indexOf(key)
    result.push({ code: BPF.JMP | BPF.JA, jt: 0, jf: 0, k: distance - hop - 1 })
    return hop
  }
  const jt = reach(line.yes, yesKey(index))
  const jf = reach(line.no, noKey(index))
  result[0] = { code: line.test, jt, jf, k: line.k }
  return result
}

/** An array of struct sock_filter in the byte order of this machine (all that Node runs on here are little-endian). */
export function programBytes(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach((instruction, index) => {
    bytes.writeUInt16LE(instruction.code, index * 8)
    bytes.writeUInt8(instruction.jt, index * 8 + 2)
    bytes.writeUInt8(instruction.jf, index * 8 + 3)
    bytes.writeUInt32LE(instruction.k, index * 8 + 4)
  })
  return bytes
}
