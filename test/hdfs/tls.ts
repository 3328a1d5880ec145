// TLS for the test cluster: one self-signed certificate that all daemons share, made anew for every cluster.

import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { siteXml } from './configuration.js';

const run = promisify(execFile);

/** Protects nothing: the key lives in a temporary folder as long as the cluster. */
const password = 'test-cluster';

export interface TlsFiles {
  /** Content of ssl-server.xml, which every daemon needs beside its hdfs-site.xml. */
  readonly sslServerXml: string;
  /** The certificate in PEM, for clients to trust. */
  readonly ca: string;
  /** The certificate as a file, for NODE_EXTRA_CA_CERTS. */
  readonly caFile: string;
}

/** Makes a key and its certificate for 127.0.0.1 below `folder`. */
export async function makeTls(folder: string): Promise<TlsFiles> {
  await mkdir(folder, { recursive: true });
  const keystore = join(folder, 'keystore.p12');
  const store = ['-keystore', keystore, '-storepass', password, '-alias', 'hdfs'];
  const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-storetype', 'PKCS12'];
  const subject = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1,dns:localhost'];
  await run('keytool', ['-genkeypair', '-validity', '2', ...key, ...subject, ...store]);
  const { stdout: ca } = await run('keytool', ['-exportcert', '-rfc', ...store]);
  const sslServerXml = siteXml({
    'ssl.server.keystore.location': keystore,
    'ssl.server.keystore.type': 'PKCS12',
    'ssl.server.keystore.password': password,
    'ssl.server.keystore.keypassword': password,
  });
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, ca);
  return { sslServerXml, ca, caFile };
}
