// A first DataNode of a pipeline that is told by the test what to do at which packet.

import type { Socket } from 'node:net';
import { crc32c } from '@node-rs/crc32';
import {
  blockOpResponse,
  operations,
  opWriteBlock,
  packetHeader,
  pipelineAck,
} from '../../../../src/store/hdfs/proto/datatransfer.js';
import { type FakePeer, lengthBefore, onBytes, startFakePeer } from '../fake-peer.js';

interface Packet {
  readonly sequence: number;
  readonly isLast: boolean;
}

export interface Behaviour {
  /** In place of taking the block. */
  readonly onSetup?: (socket: Socket) => void;
  /** In place of an ack of success from each node. */
  readonly onPacket?: (socket: Socket, packet: Packet) => void;
}

export interface FakeDataNode extends FakePeer {
  /** What came, in the order in which it came, its checksums having been right. */
  readonly bytes: () => Buffer;
  /** Lengths of the packets with data. */
  readonly packetSizes: () => readonly number[];
  readonly request: () => ReturnType<typeof opWriteBlock.decode> | undefined;
}

export function ack(sequence: number, ...reply: readonly number[]): Buffer {
  return pipelineAck.encodeDelimited({ seqno: sequence, reply });
}

/** Answers every other question than a write, as a node does that is alive. */
export async function startFakeDataNode({ onSetup, onPacket }: Behaviour): Promise<FakeDataNode> {
  const data: Buffer[] = [];
  let request: ReturnType<typeof opWriteBlock.decode> | undefined;
  const peer = await startFakePeer((socket) => {
    let isWriting = false;
    onBytes(socket, (bytes) => {
      if (!isWriting) {
        const length = lengthBefore(bytes, 3);
        if (length === undefined) {
          return 0;
        }
        expect(bytes.readUInt16BE(0)).toBe(28);
        if (bytes[2] !== operations.writeBlock) {
          socket.end(blockOpResponse.encodeDelimited({ status: 1, message: 'no such block' }));
          return length.endBytes;
        }
        const body = bytes.subarray(length.startBytes, length.endBytes);
        request = opWriteBlock.decode(body, 'a request');
        isWriting = true;
        if (onSetup) {
          onSetup(socket);
        } else {
          socket.write(blockOpResponse.encodeDelimited({ status: 0, firstBadLink: '' }));
        }
        return length.endBytes;
      }
      if (bytes.length < 6) {
        return 0;
      }
      const headerBytes = bytes.readUInt16BE(4);
      const endBytes = 2 + headerBytes + bytes.readUInt32BE(0);
      if (bytes.length < endBytes) {
        return 0;
      }
      const header = packetHeader.decode(bytes.subarray(6, 6 + headerBytes), 'a packet');
      if (header.dataLen > 0) {
        const checksums = bytes.subarray(6 + headerBytes, endBytes - header.dataLen);
        const packetData = Buffer.from(bytes.subarray(endBytes - header.dataLen, endBytes));
        const isWrong = (crc: number, index: number) => crc !== checksums.readUInt32BE(4 * index);
        const crcs = Array.from({ length: Math.ceil(packetData.length / 512) }, (_, index) =>
          crc32c(packetData.subarray(512 * index, 512 * (index + 1))),
        );
        expect(crcs.findIndex(isWrong)).toBe(-1);
        expect(header.offsetInBlock).toBe(data.reduce((sum, { length }) => sum + length, 0));
        data.push(packetData);
      }
      const packet = { sequence: header.seqno, isLast: header.lastPacketInBlock };
      if (onPacket) {
        onPacket(socket, packet);
      } else {
        socket.write(ack(packet.sequence, 0, 0, 0));
      }
      return endBytes;
    });
  });
  return {
    ...peer,
    bytes: () => Buffer.concat(data),
    packetSizes: () => data.map(({ length }) => length),
    request: () => request,
  };
}
