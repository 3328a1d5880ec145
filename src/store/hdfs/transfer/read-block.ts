// Reading a range of a block from one DataNode, each chunk held against its checksum as it arrives, unless the reader has checksums
// of its own.

import { ParsError } from '../../../../introspect/pars-error.js';
import { PeerFailure, toParsError } from '../net/peer-error.js';
import type { PeerStream } from '../net/peer-stream.js';
import {
  blockOpResponse,
  clientReadStatus,
  operations,
  opReadBlock,
  type PacketHeader,
  packetHeader,
  statuses,
  statusInWords,
} from '../proto/datatransfer.js';
import type { LocatedBlock } from '../proto/hdfs.js';
import { checksumsSizeBytes, type ChunkChecksum, findWrongChunk } from './chunk-checksums.js';
import { maxAnswerBytes, operation } from './data-nodes.js';
import { lengthsBytes, maxHeaderBytes, maxPacketBytes } from './packet.js';

export interface BlockReaderOptions {
  readonly clientName: string;
  /** Opens the message of each error: the operation and the path. */
  readonly doing: string;
  /** For each answer and packet. */
  readonly idleTimeoutMs: number;
  /** The DataNode is to send no checksums, and nothing is held against any here. */
  readonly isCheckedByReader: boolean;
}

/** The DataNode has other bytes than were written. */
export class WrongChunk extends ParsError {
  constructor(message: string) {
    super('corrupt', message);
  }
}

/**
 * Fills `target` with the bytes from `offsetBytes` on. When it returns, `stream` can be used again; when it throws, it cannot, and
 * what is in `target` is nothing. Throws WrongChunk for bytes that are not those written, `unavailable` for what the DataNode
 * refuses and for what does not come.
 */
export async function readBlock(
  stream: PeerStream,
  { b, blockToken }: LocatedBlock,
  offsetBytes: number,
  target: Uint8Array,
  options: BlockReaderOptions,
): Promise<void> {
  const { clientName, doing, idleTimeoutMs, isCheckedByReader } = options;
  const header = { baseHeader: { block: b, token: blockToken }, clientName };
  const sendChecksums = !isCheckedByReader;
  const asked = { header, offset: offsetBytes, len: target.length, sendChecksums };
  await stream.write(operation(operations.readBlock, opReadBlock, asked));
  const answer = await stream.message(blockOpResponse, maxAnswerBytes, idleTimeoutMs);
  const where = `${doing} at ${stream.hostPort}`;
  const info = answer.readOpChecksumInfo;
  if (answer.status !== statuses.success || info === undefined) {
    const [text] = (answer.message ?? '').split('\n', 1);
    throw new ParsError(
      'unavailable',
      `${where}: the DataNode does not give the block: ${statusInWords(answer.status)}: ${text}`,
    );
  }
  const checksum = { type: info.checksum.type, bytesPerChunk: info.checksum.bytesPerChecksum };
  if (checksum.bytesPerChunk === 0 || info.chunkOffset > offsetBytes) {
    throw new ParsError(
      'unsupported',
      `${where}: expected chunks that begin at or before offset ${offsetBytes}, found chunks of ${checksum.bytesPerChunk} ` +
        `bytes that begin at ${info.chunkOffset}`,
    );
  }
  // Chunks come whole, so the first and the last packet may reach over the range.
  let atBytes = info.chunkOffset;
  for (;;) {
    const { packet, checksumsBytes } = await packetHead(stream, checksum, where, idleTimeoutMs);
    if (packet.lastPacketInBlock && packet.dataLen === 0) {
      break;
    }
    const isAsked = packet.dataLen > 0 && atBytes < offsetBytes + target.length;
    if (packet.offsetInBlock !== atBytes || !isAsked) {
      throw new ParsError(
        'unsupported',
        `${where}: expected bytes from offset ${atBytes} to ${offsetBytes + target.length}, found ${packet.dataLen} bytes ` +
          `from offset ${packet.offsetInBlock}`,
      );
    }
    const checksums = Buffer.allocUnsafe(checksumsBytes);
    await stream.fill(checksums, 'the checksums of a packet', idleTimeoutMs);
    const fromBytes = atBytes - offsetBytes;
    const isWithin = fromBytes >= 0 && fromBytes + packet.dataLen <= target.length;
    const data = isWithin
      ? target.subarray(fromBytes, fromBytes + packet.dataLen)
      : Buffer.allocUnsafe(packet.dataLen);
    await stream.fill(data, 'the data of a packet', idleTimeoutMs);
    const wrongBytes = findWrongChunk(checksum, data, checksums);
    if (wrongBytes !== undefined) {
      throw new WrongChunk(
        `${where}: the bytes at offset ${atBytes + wrongBytes} of the block are not those of their checksum`,
      );
    }
    if (!isWithin) {
      const wanted = data.subarray(Math.max(0, -fromBytes), target.length - fromBytes);
      target.set(wanted, Math.max(0, fromBytes));
    }
    atBytes += packet.dataLen;
  }
  const missingBytes = offsetBytes + target.length - atBytes;
  if (missingBytes > 0) {
    const cut = new PeerFailure('closed', `the answer ended ${missingBytes} bytes early`);
    throw toParsError(cut, doing, stream.hostPort);
  }
  const status = sendChecksums ? statuses.checksumOk : statuses.success;
  await stream.write(clientReadStatus.encodeDelimited({ status }));
}

async function packetHead(
  stream: PeerStream,
  checksum: ChunkChecksum,
  where: string,
  timeoutMs: number,
): Promise<{ readonly packet: PacketHeader; readonly checksumsBytes: number }> {
  const lengths = Buffer.allocUnsafe(lengthsBytes);
  await stream.fill(lengths, 'a packet', timeoutMs);
  const packetBytes = lengths.readUInt32BE(0);
  const headerBytes = lengths.readUInt16BE(4);
  if (packetBytes > maxPacketBytes || headerBytes > maxHeaderBytes) {
    throw new ParsError(
      'unsupported',
      `${where}: expected a packet of at most ${maxPacketBytes} bytes, found one of ${packetBytes} with a header of ${headerBytes}`,
    );
  }
  const header = Buffer.allocUnsafe(headerBytes);
  await stream.fill(header, 'the header of a packet', timeoutMs);
  const packet = packetHeader.decode(header, where);
  const checksumsBytes = packetBytes - 4 - packet.dataLen;
  if (packet.dataLen < 0 || checksumsBytes !== checksumsSizeBytes(checksum, packet.dataLen)) {
    throw new ParsError(
      'unsupported',
      `${where}: a packet of ${packetBytes} bytes has ${packet.dataLen} of data, and checksums of chunks of ` +
        `${checksum.bytesPerChunk} bytes do not fill the rest`,
    );
  }
  return { packet, checksumsBytes };
}
