import { ParsError } from '../../../introspect/pars-error.js';
import { MadeFolders } from '../../../src/store/webhdfs/made-folders.js';

/** A namespace that notes which folders were made. */
function noting(): { readonly made: string[]; readonly folders: MadeFolders } {
  const made: string[] = [];
  const makeFolder = (path: string): Promise<void> => {
    made.push(path);
    return Promise.resolve();
  };
  return { made, folders: new MadeFolders({ makeFolder }) };
}

test('a folder is made once', async () => {
  const { made, folders } = noting();
  expect(await folders.within('/a', undefined, () => Promise.resolve(1))).toBe(1);
  expect(await folders.within('/a', undefined, () => Promise.resolve(2))).toBe(2);
  await folders.within('/b', undefined, () => Promise.resolve(3));
  expect(made).toEqual(['/a', '/b']);
});

test('one that somebody has removed is made again, and what needs it done again', async () => {
  const { made, folders } = noting();
  await folders.within('/a', undefined, () => Promise.resolve());
  let callCount = 0;
  const act = (): Promise<string> => {
    callCount++;
    return callCount === 1
      ? Promise.reject(new ParsError('not-found', 'no such folder'))
      : Promise.resolve('done');
  };
  expect(await folders.within('/a', undefined, act)).toBe('done');
  expect(callCount).toBe(2);
  expect(made).toEqual(['/a', '/a']);
});

test('other failures are passed on, and so is a folder that is missing though it was just made', async () => {
  const { made, folders } = noting();
  const failing = (code: 'not-found' | 'no-space') => () =>
    Promise.reject(new ParsError(code, 'refused'));
  await expect(folders.within('/a', undefined, failing('not-found'))).rejects.toThrow('refused');
  await expect(folders.within('/a', undefined, failing('no-space'))).rejects.toThrow('refused');
  expect(made).toEqual(['/a']);
});
