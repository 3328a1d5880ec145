// Options that several commands have, and words that several of them explain.
import { Option } from 'commander';

export const jsonOption = (): Option => new Option('--json', 'print the result as JSON');

export const policyOption = (): Option =>
  new Option(
    '--policy <name>',
    'strict, disk, lean, or a YAML or JSON file with copies or erasure codes by label',
  ).default('strict');

export const weakOption = (): Option =>
  new Option('--allow-weak-critical', 'accept a policy with one copy of critical pages');

export const fewerOption = (): Option =>
  new Option(
    '--allow-fewer',
    'accept fewer DataNodes than an erasure code of the policy has units, as long as data fits',
  );

export const imageMeaning =
  'file of guest RAM, folder of a Cloud Hypervisor snapshot, or libvmi:{kvm|xen|file}:NAME';

export const formatOption = (): Option =>
  new Option(
    '--format <name>',
    'raw, elf, migration, libvirt-save, firecracker, cloud-hypervisor or libvmi (default: told by the content)',
  );

export const mapOption = (): Option =>
  new Option(
    '--map-file <file>',
    'JSON file saying where the bytes lie in guest memory (default: <image>.map.json, if there)',
  );

export const stateOption = (): Option =>
  new Option(
    '--state <file>',
    'device state of the same moment, whose CPUs prove which kernel runs (default: that in the image, where it has one)',
  );

export const snapshotMeaning = 'its id, or the first digits of it';

/** For an option that may be given again. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];
