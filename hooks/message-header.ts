// struct msghdr and struct mmsghdr, by which sendmsg, recvmsg and their kin say whom, what and how (sendmsg(2), recvmmsg(2)).

// struct msghdr, 56 bytes                             struct mmsghdr, 64 bytes
//  0  pointer to the address                           0  struct msghdr
//  8  u32 length of the address                       56  u32 how many bytes were sent or received
// 16  pointer to the pieces (struct iovec)
// 24  u64 number of pieces
// 32  pointer to the control data
// 40  u64 length of the control data
// 48  s32 flags (received ones)
export const messageHeaderBytes = 56
export const manyHeaderBytes = 64
export const sentLengthAt = 56
export const nameLengthAt = 8
export const controlLengthAt = 40
export const flagsAt = 48

export type MessageHeader = {
  name: bigint
  nameLength: number
  pieces: bigint
  pieceCount: number
  control: bigint
  controlLength: number
}

/** The header at the beginning of these bytes; counts that no call could have come out as they are, to be refused. */
export function readMessageHeader(bytes: Buffer): MessageHeader {
  return {
    name: bytes.readBigUInt64LE(0),
    nameLength: bytes.readInt32LE(nameLengthAt),
    pieces: bytes.readBigUInt64LE(16),
    pieceCount: Number(bytes.readBigUInt64LE(24)),
    control: bytes.readBigUInt64LE(32),
    controlLength: Number(bytes.readBigUInt64LE(controlLengthAt)),
  }
}

export type OwnHeader = {
  name: bigint
  nameLength: number
  piece: bigint
  control: bigint
  controlLength: number
}

/** A header of our own with one piece. */
export function writeMessageHeader(header: OwnHeader): Buffer {
  const bytes = Buffer.alloc(messageHeaderBytes)
  bytes.writeBigUInt64LE(header.name, 0)
  bytes.writeInt32LE(header.nameLength, nameLengthAt)
  bytes.writeBigUInt64LE(header.piece, 16)
  bytes.writeBigUInt64LE(1n, 24)
  bytes.writeBigUInt64LE(header.control, 32)
  bytes.writeBigUInt64LE(BigInt(header.controlLength), controlLengthAt)
  return bytes
}
