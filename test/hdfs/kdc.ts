// A Kerberos realm on this machine: MIT's KDC (Debian's krb5-kdc and krb5-admin-server) with its files in a folder of its own, on a
// port of its own, as the user who runs the tests. It knows nothing of the machine's own Kerberos, nor that of it.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Daemon, startDaemon } from './daemon.js';
import { freePorts } from './ports.js';

const run = promisify(execFile);

export const realm = 'PARS.TEST';

export interface Kdc {
  /** For KRB5_CONFIG, and Java's java.security.krb5.conf. */
  readonly configFile: string;
  /** The keys of all principals. */
  readonly keytab: string;
  /** Makes `name@PARS.TEST` with a key by chance. */
  addPrincipal(name: string): Promise<void>;
  close(): Promise<void>;
}

const programs = {
  krb5kdc: '/usr/sbin/krb5kdc',
  kdb5Util: '/usr/sbin/kdb5_util',
  kadminLocal: '/usr/sbin/kadmin.local',
};

/** Why there can be none here; undefined where there can. */
export function whyNoKdc(): string | undefined {
  const missing = Object.values(programs).filter((program) => !existsSync(program));
  return missing.length === 0
    ? undefined
    : `no ${missing.join(', ')}: Debian's krb5-kdc and krb5-admin-server are not installed`;
}

const startTimeoutMs = 30_000;

/** `folder` is made, and left to the caller to remove. */
export async function startKdc(folder: string): Promise<Kdc> {
  await mkdir(folder, { recursive: true });
  const [port] = await freePorts(1);
  const configFile = join(folder, 'krb5.conf');
  const profile = join(folder, 'kdc.conf');
  const keytab = join(folder, 'keytab');
  await writeFile(configFile, krb5Conf(port));
  await writeFile(profile, kdcConf(folder, port));
  const env = { ...process.env, KRB5_CONFIG: configFile, KRB5_KDC_PROFILE: profile };
  await run(programs.kdb5Util, ['create', '-s', '-r', realm, '-P', 'test-realm'], { env });

  const daemon = await startDaemon({
    name: 'the KDC',
    command: [
      'env',
      `KRB5_CONFIG=${configFile}`,
      `KRB5_KDC_PROFILE=${profile}`,
      programs.krb5kdc,
      '-n',
    ],
    logFile: join(folder, 'log'),
  });
  await untilListening(daemon, port);
  return {
    configFile,
    keytab,
    addPrincipal: async (name) => {
      const principal = `${name}@${realm}`;
      for (const query of [`addprinc -randkey ${principal}`, `ktadd -k ${keytab} ${principal}`]) {
        await run(programs.kadminLocal, ['-r', realm, '-q', query], { env });
      }
    },
    close: () => daemon.end('SIGKILL'),
  };
}

async function untilListening(daemon: Daemon, port: number): Promise<void> {
  const deadlineMs = performance.now() + startTimeoutMs;
  while (!(await takesConnections(port))) {
    if (!daemon.isRunning() || performance.now() > deadlineMs) {
      await daemon.end('SIGKILL');
      throw new Error(
        `${daemon.name} does not listen on port ${port}; its log:\n${daemon.logTail()}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (isTaken: boolean): void => {
      socket.destroy();
      resolve(isTaken);
    };
    socket.once('connect', () => {
      end(true);
    });
    socket.once('error', () => {
      end(false);
    });
  });
}

function krb5Conf(port: number): string {
  return `[libdefaults]
  default_realm = ${realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  ${realm} = {
    kdc = 127.0.0.1:${port}
  }
[domain_realm]
  localhost = ${realm}
`;
}

function kdcConf(folder: string, port: number): string {
  return `[kdcdefaults]
  kdc_listen = 127.0.0.1:${port}
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${realm} = {
    database_name = ${join(folder, 'principal')}
    key_stash_file = ${join(folder, 'stash')}
    acl_file = ${join(folder, 'kadm5.acl')}
    supported_enctypes = aes256-cts-hmac-sha1-96:normal
  }
[logging]
  kdc = STDERR
`;
}
