// A process of its own, so that the run goes on talking to other guests meanwhile:
//
//   tsx measure-main.ts RAM DISK [dump FOLDER]
//
// Prints the SnapshotFigures of a stopped guest's files as JSON. With `dump` makedumpfile is asked as well, in that folder.
import { measureSnapshot } from './measure-snapshot.js';

const [ramPath, diskPath, word, folder] = process.argv.slice(2);
const dumpFolder = word === 'dump' ? folder : undefined;
process.stdout.write(JSON.stringify(await measureSnapshot(ramPath, diskPath, dumpFolder)));
