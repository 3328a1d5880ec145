// In which direction the rooms of a folder import each other: a room is the folder's own files of one kind, or one of its
// folders with all below it.
import type { ImportGraph } from './imports.js';

/** Which room a file stands in; undefined for files that are none of the folder's. */
export type RoomOf = (path: string) => string | undefined;

/**
 * What is against the order of `levels`, lowest first: a room imports from itself and from lower levels, not from the other
 * rooms of its own level. A room without a level is told too.
 */
export function againstLevels(
  graph: ImportGraph,
  levels: readonly (readonly string[])[],
  roomOf: RoomOf,
): readonly string[] {
  const levelOf = (room: string): number => levels.findIndex((rooms) => rooms.includes(room));
  return [...graph].flatMap(([path, imports]) => {
    const from = roomOf(path);
    if (from === undefined) {
      return [];
    }
    if (levelOf(from) < 0) {
      return [`${path}: no level has ${from}`];
    }
    return imports
      .filter((name) => {
        const to = roomOf(name);
        return to !== undefined && to !== from && levelOf(to) >= levelOf(from);
      })
      .map((name) => `${path} > ${name}`);
  });
}

/** The rooms of a folder: its folders by their names, and its own files by what `ownFiles` calls them. */
export function roomsOf(folder: string, ownFiles: (name: string) => string): RoomOf {
  return (path) => {
    if (!path.startsWith(`${folder}/`)) {
      return undefined;
    }
    const [first, ...rest] = path.slice(folder.length + 1).split('/');
    return rest.length > 0 ? first : ownFiles(first);
  };
}
