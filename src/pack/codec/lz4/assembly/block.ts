// LZ4 blocks (the block format of github.com/lz4/lz4), compressed and unpacked within one piece of memory. AssemblyScript:
// it becomes WebAssembly with `npm run build`.
//
// A block is a row of sequences: a token with two lengths of four bits each, bytes as they are (literals), how far back a match
// begins (2 bytes), and what of the lengths did not fit into the token. The last sequence has literals only.

/** A match is at least this long, and its length is stored less this. */
const leastMatch: u32 = 4;
/** The last bytes of a block are literals, and no match begins in the last 12: so the format asks. */
const lastLiterals: u32 = 5;
const noMatchAtEnd: u32 = 12;
const farthestMatch: usize = 65535;

/** A table of positions by hash, of `tableSizeBytes`. */
const hashBits: u32 = 13;
/** So many misses in a row let the search go in steps one byte longer: what does not compress is soon passed. */
const missesPerStepShift: u32 = 6;

/** Bytes that `compress` needs for its table. */
export const tableSizeBytes: u32 = 4 << hashBits;

/** Fibonacci hashing of five bytes, the multiplier of which is 2^64 over the golden ratio cut to 40 bits. */
function hashAt(at: usize): usize {
  return <usize>(((load<u64>(at) << 24) * 11400714819323198485) >> (64 - hashBits));
}

function entryOf(table: usize, at: usize): usize {
  return table + (hashAt(at) << 2);
}

/** How many bytes are alike at `at` and at `match`, up to `end`. */
function alike(at: usize, match: usize, end: usize): u32 {
  const first = at;
  while (at + 8 <= end) {
    const differ = load<u64>(at) ^ load<u64>(match);
    if (differ !== 0) {
      return <u32>(at - first) + <u32>(ctz(differ) >> 3);
    }
    at += 8;
    match += 8;
  }
  while (at < end && load<u8>(at) === load<u8>(match)) {
    at++;
    match++;
  }
  return <u32>(at - first);
}

/** Copies up to 16 bytes in one piece where both sides have room for it. */
function copyLiterals(to: usize, toEnd: usize, from: usize, fromEnd: usize, count: u32): void {
  if (count <= 16 && from + 16 <= fromEnd && to + 16 <= toEnd) {
    v128.store(to, v128.load(from));
  } else {
    memory.copy(to, from, count);
  }
}

/** What of a length did not fit into four bits: bytes of 255, and one that is less. Returns where it ends. */
function storeLength(to: usize, length: u32): usize {
  while (length >= 255) {
    store<u8>(to++, 255);
    length -= 255;
  }
  store<u8>(to++, length);
  return to;
}

/**
 * Compresses `size` bytes at `from` to `to`. Returns the length of the block, or 0 when it would be longer than `room`.
 * `table` has `tableSizeBytes` bytes that may be overwritten. The same bytes always give the same block.
 */
export function compress(from: usize, size: u32, to: usize, room: u32, table: usize): u32 {
  const end = from + size;
  const first = to;
  const roomEnd = to + room;
  let literals = from;

  if (size > noMatchAtEnd) {
    memory.fill(table, 0, tableSizeBytes);
    const matchEnd = end - lastLiterals;
    const lastStart = end - noMatchAtEnd;
    let at = from + 1;

    while (true) {
      // The next place whose four bytes were seen before. An entry of zero is the first byte, which is as good as any.
      let match: usize = 0;
      let misses: u32 = 1 << missesPerStepShift;
      let next = at;
      let found = false;
      while (next <= lastStart) {
        at = next;
        next += misses++ >> missesPerStepShift;
        const entry = entryOf(table, at);
        match = from + load<u32>(entry);
        store<u32>(entry, <u32>(at - from));
        if (match + farthestMatch >= at && load<u32>(match) === load<u32>(at)) {
          found = true;
          break;
        }
      }
      if (!found) {
        break;
      }
      while (at > literals && match > from && load<u8>(at - 1) === load<u8>(match - 1)) {
        at--;
        match--;
      }

      const literalCount = <u32>(at - literals);
      const matchAt = at + leastMatch;
      const matchCount = alike(matchAt, match + leastMatch, matchEnd);
      // Token, distance, and both lengths at their longest.
      const sequence = 3 + literalCount + literalCount / 255 + 1 + matchCount / 255 + 1;
      if (to + sequence > roomEnd) {
        return 0;
      }
      const token = to++;
      if (literalCount >= 15) {
        to = storeLength(to, literalCount - 15);
      }
      copyLiterals(to, roomEnd, literals, end, literalCount);
      to += literalCount;
      store<u16>(to, <u16>(at - match));
      to += 2;
      if (matchCount >= 15) {
        to = storeLength(to, matchCount - 15);
      }
      store<u8>(token, (min<u32>(literalCount, 15) << 4) | min<u32>(matchCount, 15));

      at = matchAt + matchCount;
      literals = at;
      if (at > lastStart) {
        break;
      }
      store<u32>(entryOf(table, at - 2), <u32>(at - 2 - from));
    }
  }

  const literalCount = <u32>(end - literals);
  if (to + 1 + literalCount + literalCount / 255 + 1 > roomEnd) {
    return 0;
  }
  store<u8>(to++, min<u32>(literalCount, 15) << 4);
  if (literalCount >= 15) {
    to = storeLength(to, literalCount - 15);
  }
  memory.copy(to, literals, literalCount);
  return <u32>(to + literalCount - first);
}

/** A block was cut off, goes on too long, or refers to what is before its beginning. */
const broken: i32 = -1;

/** A match that may lie over its own copy: then what was just written is what comes next. */
function copyMatch(to: usize, distance: usize, length: u32): void {
  const from = to - distance;
  if (distance >= length) {
    memory.copy(to, from, length);
  } else if (distance === 1) {
    memory.fill(to, load<u8>(from), length);
  } else {
    // Each round copies all that is there, which is a whole number of the pattern.
    let done = <u32>distance;
    memory.copy(to, from, done);
    while (done < length) {
      const count = min<u32>(done, length - done);
      memory.copy(to + done, to, count);
      done += count;
    }
  }
}

/**
 * Unpacks the block of `size` bytes at `from` to `to`, where there is room for `room` bytes. Returns how many came out, or -1 for a
 * block that is not in order or holds more. Nothing outside of the two is read or written.
 */
export function decompress(from: usize, size: u32, to: usize, room: u32): i32 {
  const end = from + size;
  const first = to;
  const roomEnd = to + room;
  while (from < end) {
    const token = <u32>load<u8>(from++);
    let literalCount = token >> 4;
    if (literalCount === 15) {
      let more: u32 = 255;
      while (more === 255) {
        if (from >= end) {
          return broken;
        }
        more = load<u8>(from++);
        literalCount += more;
        if (literalCount > room) {
          return broken;
        }
      }
    }
    if (literalCount > <u32>(end - from) || literalCount > <u32>(roomEnd - to)) {
      return broken;
    }
    copyLiterals(to, roomEnd, from, end, literalCount);
    from += literalCount;
    to += literalCount;
    if (from === end) {
      // The last sequence has no match.
      return <i32>(to - first);
    }

    if (from + 2 > end) {
      return broken;
    }
    const distance = <usize>load<u16>(from);
    from += 2;
    let matchCount = token & 15;
    if (matchCount === 15) {
      let more: u32 = 255;
      while (more === 255) {
        if (from >= end) {
          return broken;
        }
        more = load<u8>(from++);
        matchCount += more;
        if (matchCount > room) {
          return broken;
        }
      }
    }
    matchCount += leastMatch;
    if (distance === 0 || distance > to - first || matchCount > <u32>(roomEnd - to)) {
      return broken;
    }
    if (matchCount <= 32 && distance >= 16 && to + 32 <= roomEnd) {
      v128.store(to, v128.load(to - distance));
      v128.store(to + 16, v128.load(to - distance + 16));
    } else {
      copyMatch(to, distance, matchCount);
    }
    to += matchCount;
  }
  return broken;
}
