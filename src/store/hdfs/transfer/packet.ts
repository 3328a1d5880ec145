// A packet of a block's bytes, as it goes to a DataNode and comes from one (org.apache.hadoop.hdfs.protocol.datatransfer):
//
//   4  length of all that comes after the header's length but the header, and of itself
//   2  length of the header
//      PacketHeaderProto
//      checksums, one for each chunk of the data
//      data
//
// The last packet of a block has no data.

import { packetHeader } from '../proto/datatransfer.js';
import { checksumsSizeBytes, ChunkViews, writtenChecksum } from './chunk-checksums.js';

/** PacketReceiver.MAX_PACKET_SIZE; DataNodes send 64 KiB. */
export const maxPacketBytes = 16 * 1024 * 1024;
/** PacketHeader.PKT_LENGTHS_LEN. */
export const lengthsBytes = 6;
/** All fields of the header are as long whatever they hold, but for one that Hadoop may add. */
export const maxHeaderBytes = 1_000;

/** The length of the header that is written here. */
const headerBytes = packetHeader.encode({
  offsetInBlock: 0,
  seqno: 0,
  lastPacketInBlock: false,
  dataLen: 0,
}).length;
const headBytes = lengthsBytes + headerBytes;

/**
 * What one packet carries. Larger ones cost all sides less, but on ext4 packets of just 128, 256, 512 and 1024 KiB cost
 * DataNodes three times the system time of odd ones (measured on Linux 6.18, not explained).
 */
export const packetDataBytes = 1_537 * writtenChecksum.bytesPerChunk;

/** Sequence number of a packet that only says that the client is alive. */
export const heartbeatSequence = -1;

/** Memory for a packet, filled and sent and filled again. */
export class PacketBuffer {
  readonly #roomBytes: number;
  /** Where the data begins; the head and the checksums end there, however many they are, so that a packet is one piece. */
  readonly #dataAtBytes: number;
  readonly #bytes: Buffer;
  readonly #chunks: ChunkViews;
  #dataBytes = 0;

  /** `roomBytes`: for data. */
  constructor(roomBytes = packetDataBytes) {
    this.#roomBytes = roomBytes;
    this.#dataAtBytes = headBytes + checksumsSizeBytes(writtenChecksum, roomBytes);
    this.#bytes = Buffer.allocUnsafeSlow(this.#dataAtBytes + roomBytes);
    this.#chunks = new ChunkViews(writtenChecksum, this.#bytes.subarray(this.#dataAtBytes));
  }

  get dataBytes(): number {
    return this.#dataBytes;
  }

  get isFull(): boolean {
    return this.#dataBytes === this.#roomBytes;
  }

  /** Takes as much of `chunk` as there is room for, and returns how much that was. */
  append(chunk: Uint8Array): number {
    const piece = chunk.subarray(0, this.#roomBytes - this.#dataBytes);
    this.#bytes.set(piece, this.#dataAtBytes + this.#dataBytes);
    this.#dataBytes += piece.length;
    return piece.length;
  }

  /** What is left, to be filled from its beginning: `took` says how much of it was. */
  room(): Buffer {
    return this.#bytes.subarray(this.#dataAtBytes + this.#dataBytes);
  }

  took(sizeBytes: number): void {
    this.#dataBytes += sizeBytes;
  }

  /** Leaves the last bytes to `next`, so that what stays is whole chunks. */
  leaveRestTo(next: PacketBuffer): void {
    const restBytes = this.#dataBytes % writtenChecksum.bytesPerChunk;
    const endAt = this.#dataAtBytes + this.#dataBytes;
    next.append(this.#bytes.subarray(endAt - restBytes, endAt));
    this.#dataBytes -= restBytes;
  }

  /** The packet's bytes, which lie in this memory. */
  seal(offsetInBlock: number, sequence: number): Buffer {
    const dataAtBytes = this.#dataAtBytes;
    const dataLen = this.#dataBytes;
    const checksumsAtBytes = dataAtBytes - checksumsSizeBytes(writtenChecksum, dataLen);
    this.#chunks.writeChecksums(dataLen, this.#bytes.subarray(checksumsAtBytes, dataAtBytes));
    const head = packetHead(
      { offsetInBlock, seqno: sequence, lastPacketInBlock: false, dataLen },
      dataAtBytes - checksumsAtBytes,
    );
    const fromBytes = checksumsAtBytes - head.length;
    this.#bytes.set(head, fromBytes);
    return this.#bytes.subarray(fromBytes, dataAtBytes + dataLen);
  }

  clear(): void {
    this.#dataBytes = 0;
  }
}

/** Buffers that are kept: three files are written at a time, and each fills as many as four. */
const keptBufferCount = 12;

/** Memory of packets that were sent, for the next: new memory costs the kernel a fault for each of its pages. */
export class PacketMemory {
  readonly #make: () => PacketBuffer;
  readonly #kept: PacketBuffer[] = [];

  constructor(make: () => PacketBuffer = () => new PacketBuffer()) {
    this.#make = make;
  }

  take(): PacketBuffer {
    return this.#kept.pop() ?? this.#make();
  }

  give(buffer: PacketBuffer): void {
    buffer.clear();
    if (this.#kept.length < keptBufferCount) {
      this.#kept.push(buffer);
    }
  }
}

/** A packet without data: the end of a block, or a heartbeat. */
export function emptyPacket(offsetInBlock: number, sequence: number, isLast: boolean): Buffer {
  const header = { offsetInBlock, seqno: sequence, lastPacketInBlock: isLast, dataLen: 0 };
  return packetHead(header, 0);
}

function packetHead(
  header: Parameters<typeof packetHeader.encode>[0],
  checksumsBytes: number,
): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(4 + checksumsBytes + header.dataLen, 0);
  head.writeUInt16BE(headerBytes, 4);
  head.set(packetHeader.encode(header), lengthsBytes);
  return head;
}
