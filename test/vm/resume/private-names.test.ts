// Sockets and logs of a resumed VM are in its own folder.
import { usePrivateNames } from '../../../src/vm/resume/private-names.js';
import { optionsIn, wordsOf } from '../options-in.js';

const none: ReadonlySet<string> = new Set();

test('what QEMU makes on its host moves, each path to one, and two of one name to two', () => {
  const words = [
    ...['-qmp', 'unix:/run/a/qmp.sock,server=on,wait=off'],
    ...['-monitor', 'unix:/run/b/qmp.sock,server=on,wait=off'],
    ...['-chardev', 'socket,id=c,path=/run/a/serial,server=on', '-D', 'q,1.log'],
    ...['-chardev', 'file,id=l,path=/var/log/vm,logfile=/var/log/vm'],
    ...['-chardev', 'socket,id=t,path=/run/tpm', '-drive', 'file=/disk', '-kernel', '/k'],
  ];
  const { options, moved } = usePrivateNames(optionsIn(...words), '/out', none);
  expect(wordsOf(options)).toEqual([
    ...['-qmp', 'unix:/out/vm/1-qmp.sock,server=on,wait=off'],
    ...['-monitor', 'unix:/out/vm/2-qmp.sock,server=on,wait=off'],
    ...['-chardev', 'socket,id=c,path=/out/vm/3-serial,server=on', '-D', '/out/vm/4-q_1.log'],
    ...['-chardev', 'file,id=l,path=/out/vm/5-vm,logfile=/out/vm/5-vm'],
    ...['-chardev', 'socket,id=t,path=/run/tpm', '-drive', 'file=/disk', '-kernel', '/k'],
  ]);
  expect(moved[0]).toEqual({ oldPath: '/run/a/qmp.sock', newPath: '/out/vm/1-qmp.sock' });
  expect(moved).toHaveLength(5);
});

test('a path that was chosen stays', () => {
  const words = ['-qmp', 'unix:/run/qmp,server=on'];
  const { options, moved } = usePrivateNames(optionsIn(...words), '/out', new Set(['/run/qmp']));
  expect(wordsOf(options)).toEqual(words);
  expect(moved).toEqual([]);
});

test('a socket whose path no socket can have is named from the folder', () => {
  const folder = `/${'long/'.repeat(20)}out`;
  const words = ['-qmp', 'unix:/run/qmp,server=on', '-D', '/log'];
  expect(wordsOf(usePrivateNames(optionsIn(...words), folder, none).options)).toEqual([
    ...['-qmp', 'unix:vm/1-qmp,server=on', '-D', `${folder}/vm/2-log`],
  ]);
});
