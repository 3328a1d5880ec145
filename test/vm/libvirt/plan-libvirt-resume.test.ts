// What a restored VM of libvirt is started with.
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDomainXml } from '../../../src/vm/libvirt/domain-xml.js';
import { planLibvirtResume } from '../../../src/vm/libvirt/plan-libvirt-resume.js';
import { sampleDomain } from './sample-domain.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pars-libvirt ' resume-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function planOf(sourcePaths: readonly string[]) {
  return planLibvirtResume({
    xml: sampleDomain,
    uri: 'qemu:///system',
    folder,
    streamPath: join(folder, 'libvirt-save'),
    disks: sourcePaths.map((sourcePath, index) => ({
      path: join(folder, `d${index}`),
      sourcePath,
    })),
  });
}

test('the XML names the restored disks, and those that stay are told', () => {
  const plan = planOf(["/images/a'b.qcow2", '/gone']);
  expect(parseDomainXml(plan.domainXml, 'it').disks[0].sourcePath).toBe(join(folder, 'd0'));
  expect(plan.keptDiskPaths).toEqual(['/dev/vg/data', 'vdc']);
  expect(plan.unusedDiskPaths).toEqual([join(folder, 'd1')]);
  expect(plan.vm).toBe('web & mail');
});

/** Runs the script with a virsh that notes its arguments, and ends with `exitCode`. */
function runScript(exitCode: number) {
  const virsh = join(folder, 'virsh');
  writeFileSync(
    virsh,
    `#!/bin/bash\nprintf '%s\\n' "$@" >'${folder.replaceAll("'", "'\\''")}/said'\nexit ${exitCode}\n`,
  );
  chmodSync(virsh, 0o755);
  const script = join(folder, 'resume.sh');
  writeFileSync(script, planOf([]).script);
  return spawnSync('bash', [script], {
    env: { PATH: `${folder}:/usr/bin:/bin` },
    encoding: 'utf8',
  });
}

test('the script restores with the XML beside it, and once only', () => {
  execFileSync('bash', ['-n', '-c', planOf([]).script]);
  expect(runScript(0)).toMatchObject({ status: 0, stderr: 'resume.sh: the VM web & mail runs\n' });
  expect(readFileSync(join(folder, 'said'), 'utf8').split('\n')).toEqual([
    ...['-c', 'qemu:///system', 'restore', join(folder, 'libvirt-save')],
    ...['--xml', join(folder, 'domain.xml'), '--running', ''],
  ]);
  const again = runScript(0);
  expect(again.status).toBe(5);
  expect(again.stderr).toMatch(/ran from here before/);
});

test('after a refusal of libvirt the script may be run again', () => {
  expect(runScript(1)).toMatchObject({ status: 23 });
  expect(existsSync(join(folder, 'resumed'))).toBe(false);
  expect(runScript(0).status).toBe(0);
});
