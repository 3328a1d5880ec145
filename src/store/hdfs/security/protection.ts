// How bytes between two daemons are protected once each knows the other, weakest first. Hadoop's configuration has names of its
// own for what SASL calls quality of protection (RFC 2831).

import type { Configuration } from '../../hadoop/configuration/configuration.js';

/** By the name in the configuration. */
export const protections = {
  /** As they are. */
  authentication: 'auth',
  /** With a keyed checksum. */
  integrity: 'auth-int',
  /** Encrypted. */
  privacy: 'auth-conf',
} as const;

/** As SASL names it. */
export type Protection = (typeof protections)[keyof typeof protections];

export const strongestFirst: readonly Protection[] = ['auth-conf', 'auth-int', 'auth'];

export const rpcProtectionProperty = 'hadoop.rpc.protection';
export const transferProtectionProperty = 'dfs.data.transfer.protection';

/** The protections that may be used, best liked first; undefined where the property is not set. Throws `usage` for another word. */
export function protectionsOf(
  configuration: Configuration,
  property: string,
): readonly Protection[] | undefined {
  const names = configuration.list(property);
  if (names.length === 0) {
    return undefined;
  }
  return names.map((name) => {
    const found = Object.entries(protections).find(([known]) => known === name.toLowerCase());
    if (found === undefined) {
      throw configuration.wrong(
        property,
        `expected ${Object.keys(protections).join(', ')}, found '${name}'`,
      );
    }
    return found[1];
  });
}
