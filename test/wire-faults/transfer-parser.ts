// The conversations with a DataNode, cut into what is said: operations, packets, acks and answers. Bytes of both directions are
// told to it as they come, and it says which of them make a whole.

import {
  blockOpResponse,
  operations,
  opReadBlock,
  opWriteBlock,
  packetHeader,
  pipelineAck,
} from '../../src/store/hdfs/proto/datatransfer.js';
import { lengthBefore } from '../store/hdfs/fake-peer.js';

/** What was said, and whether it ends a block or a request. */
export type Said =
  | {
      readonly kind: 'operation';
      readonly operation: 'write' | 'read' | 'other';
      readonly targetCount: number;
      readonly pipelineSize: number;
      readonly sizeBytes: number;
    }
  | { readonly kind: 'answer' }
  | {
      readonly kind: 'packet' | 'ack';
      readonly sequence: number;
      readonly isLast: boolean;
      readonly dataBytes: number;
    }
  | { readonly kind: 'rest' };

export interface Unit {
  readonly said: Said;
  readonly bytes: Buffer;
}

/** One direction: takes what it knows the form of, and leaves the rest until more has come. */
abstract class Direction {
  #bytes: Buffer = Buffer.alloc(0);

  push(piece: Buffer): readonly Unit[] {
    this.#bytes = this.#bytes.length === 0 ? piece : Buffer.concat([this.#bytes, piece]);
    const units: Unit[] = [];
    for (;;) {
      const unit = this.#bytes.length === 0 ? undefined : this.take(this.#bytes);
      if (unit === undefined) {
        return units;
      }
      units.push(unit);
      this.#bytes = this.#bytes.subarray(unit.bytes.length);
    }
  }

  protected abstract take(bytes: Buffer): Unit | undefined;
}

function packetIn(bytes: Buffer): Unit | undefined {
  if (bytes.length < 6) {
    return undefined;
  }
  const headerBytes = bytes.readUInt16BE(4);
  const endBytes = 2 + headerBytes + bytes.readUInt32BE(0);
  if (bytes.length < endBytes) {
    return undefined;
  }
  const header = packetHeader.decode(bytes.subarray(6, 6 + headerBytes), 'a packet');
  const { seqno: sequence, lastPacketInBlock: isLast, dataLen: dataBytes } = header;
  return {
    said: { kind: 'packet', sequence, isLast, dataBytes },
    bytes: bytes.subarray(0, endBytes),
  };
}

/** What the asking side says; and then, what it is told decides the form of the answers. */
export class Asking extends Direction {
  readonly #onOperation: (operation: 'write' | 'read' | 'other') => void;
  #form: 'operation' | 'packets' | 'status' | 'rest' = 'operation';

  constructor(onOperation: (operation: 'write' | 'read' | 'other') => void) {
    super();
    this.#onOperation = onOperation;
  }

  protected override take(bytes: Buffer): Unit | undefined {
    switch (this.#form) {
      case 'operation':
        return this.#operationIn(bytes);
      case 'packets': {
        const unit = packetIn(bytes);
        if (unit?.said.kind === 'packet' && unit.said.isLast) {
          this.#form = 'rest';
        }
        return unit;
      }
      case 'status': {
        const length = lengthBefore(bytes, 0);
        if (length === undefined) {
          return undefined;
        }
        this.#form = 'operation';
        return { said: { kind: 'rest' }, bytes: bytes.subarray(0, length.endBytes) };
      }
      case 'rest':
        return { said: { kind: 'rest' }, bytes };
    }
  }

  #operationIn(bytes: Buffer): Unit | undefined {
    const length = bytes.length < 3 ? undefined : lengthBefore(bytes, 3);
    if (length === undefined) {
      return undefined;
    }
    const body = bytes.subarray(length.startBytes, length.endBytes);
    const code = bytes[2];
    const whole = bytes.subarray(0, length.endBytes);
    if (code === operations.writeBlock) {
      const { targets, pipelineSize } = opWriteBlock.decode(body, 'a write');
      this.#form = 'packets';
      this.#onOperation('write');
      return {
        said: {
          kind: 'operation',
          operation: 'write',
          targetCount: targets.length,
          pipelineSize,
          sizeBytes: 0,
        },
        bytes: whole,
      };
    }
    if (code === operations.readBlock) {
      const { len } = opReadBlock.decode(body, 'a read');
      this.#form = 'status';
      this.#onOperation('read');
      return {
        said: {
          kind: 'operation',
          operation: 'read',
          targetCount: 0,
          pipelineSize: 0,
          sizeBytes: len,
        },
        bytes: whole,
      };
    }
    this.#form = 'rest';
    this.#onOperation('other');
    return {
      said: {
        kind: 'operation',
        operation: 'other',
        targetCount: 0,
        pipelineSize: 0,
        sizeBytes: 0,
      },
      bytes: whole,
    };
  }
}

export class Answering extends Direction {
  readonly #asked: ('write' | 'read' | 'other')[] = [];
  #form: 'answer' | 'packets' | 'acks' | 'rest' = 'answer';

  asked(operation: 'write' | 'read' | 'other'): void {
    this.#asked.push(operation);
  }

  protected override take(bytes: Buffer): Unit | undefined {
    switch (this.#form) {
      case 'answer':
        return this.#answerIn(bytes);
      case 'packets': {
        const unit = packetIn(bytes);
        if (unit?.said.kind === 'packet' && unit.said.isLast && unit.said.dataBytes === 0) {
          this.#form = 'answer';
        }
        return unit;
      }
      case 'acks': {
        const length = lengthBefore(bytes, 0);
        if (length === undefined) {
          return undefined;
        }
        const { seqno } = pipelineAck.decode(
          bytes.subarray(length.startBytes, length.endBytes),
          'an ack',
        );
        return {
          said: { kind: 'ack', sequence: seqno, isLast: false, dataBytes: 0 },
          bytes: bytes.subarray(0, length.endBytes),
        };
      }
      case 'rest':
        return { said: { kind: 'rest' }, bytes };
    }
  }

  #answerIn(bytes: Buffer): Unit | undefined {
    const length = lengthBefore(bytes, 0);
    if (length === undefined) {
      return undefined;
    }
    const { status } = blockOpResponse.decode(
      bytes.subarray(length.startBytes, length.endBytes),
      'an answer',
    );
    const operation = this.#asked.shift() ?? 'other';
    if (operation === 'other') {
      this.#form = 'rest';
    } else if (operation === 'write') {
      this.#form = 'acks';
    } else if (status === 0) {
      this.#form = 'packets';
    }
    return { said: { kind: 'answer' }, bytes: bytes.subarray(0, length.endBytes) };
  }
}
