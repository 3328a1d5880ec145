// A user who has a number and no name, as a container's may be: HDFS knows users by name, so one has to be given.
//
// Only root can be another user.

import { spawnSync } from 'node:child_process';
import { testAsRoot } from '../host/other-user.js';
import { errorAnswer } from './command-answers.js';
import { parsMain } from './pars-command.js';

/** Above what distributions give to people and to services. */
const namelessId = 1_654_321;
const usage = 2;
const unavailable = 7;

function listAsNameless(url: string) {
  const ids = [`--reuid=${namelessId}`, `--regid=${namelessId}`, '--clear-groups'];
  const { status, stdout } = spawnSync(
    'setpriv',
    [...ids, process.execPath, parsMain, 'list', '--store', url, '--json'],
    { encoding: 'utf8', env: { PATH: process.env['PATH'] } },
  );
  return { status, error: errorAnswer.parse(JSON.parse(stdout)).error };
}

testAsRoot('is told to give a name, and with one gets as far as the NameNode', () => {
  // Nobody listens at port 1.
  const without = listAsNameless('webhdfs://127.0.0.1:1/pars');
  expect(without.status).toBe(usage);
  expect(without.error.message).toContain(String(namelessId));
  expect(without.error.message).toContain('?user.name=USER');
  const named = listAsNameless('webhdfs://127.0.0.1:1/pars?user.name=alice');
  expect(named.status).toBe(unavailable);
});
