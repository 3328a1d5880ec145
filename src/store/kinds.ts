// The kinds of store there are. Whatever depends on a URL's scheme reads this table: opening, the configuration, help,
// redaction, `pars verify`, `pars disks`. A new kind is a folder, and a line here.

import { ParsError } from '../../introspect/pars-error.js';
import { hdfsKind } from './hdfs/kind.js';
import type { StoreKind } from './kind.js';
import { localKind } from './local/kind.js';
import { memoryKind } from './memory/kind.js';
import { webHdfsKind } from './webhdfs/kind.js';

const table = {
  local: localKind,
  webHdfs: webHdfsKind,
  hdfs: hdfsKind,
  memory: memoryKind,
};

type OptionsByKind = {
  readonly [Name in keyof typeof table]: OptionsOf<(typeof table)[Name]>;
};
type OptionsOf<Kind> = Kind extends StoreKind<infer Options> ? Options : never;

export type StoreKindName = keyof OptionsByKind;

export const storeKinds: {
  readonly [Name in StoreKindName]: StoreKind<OptionsByKind[Name]>;
} = table;

/** By kind. Those of other kinds than the URL's are not looked at. */
export type OpenStoreOptions = { readonly [Name in StoreKindName]?: OptionsByKind[Name] };

/** The kinds that may be offered as a place to keep data. */
export const lastingKinds: readonly StoreKind<never>[] = Object.values(storeKinds).filter(
  ({ isLasting }) => isLasting,
);

/** Undefined when there is no kind for the scheme, or no scheme. */
export function findStoreKind(url: string): StoreKindName | undefined {
  const scheme = schemeOf(url);
  const names = Object.keys(storeKinds) as StoreKindName[];
  return names.find((name) => scheme !== undefined && storeKinds[name].schemes.includes(scheme));
}

/** Throws `usage`, with the forms that are known, for a URL of no kind; what it may hold of secrets is not in the message. */
export function storeKindName(url: string): StoreKindName {
  const name = findStoreKind(url);
  if (name !== undefined) {
    return name;
  }
  const scheme = schemeOf(url);
  const found =
    scheme === undefined
      ? `'${withoutSecrets(url)}' is no URL of a store`
      : `there is no store for the scheme '${scheme}:'`;
  const forms = lastingKinds.map(({ urlForms }) => urlForms).join(', or ');
  throw new ParsError('usage', `${found}; expected ${forms}`);
}

/** Throws as `storeKindName`. */
export function storeKindOf(url: string): Omit<StoreKind, 'open'> {
  return storeKinds[storeKindName(url)];
}

/** Not by the URL class: a list of NameNodes is no URL to it. */
function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1].toLowerCase();
}

/** What is not a URL may have a password in it all the same. */
function withoutSecrets(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//***@').replace(/\?.*/s, '?***');
}
