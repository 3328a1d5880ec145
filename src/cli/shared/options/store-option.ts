// --store URL, by the table of the kinds of store. A command ends before anybody else could read what it put into a store that
// does not last, so the command line takes none.
import { InvalidArgumentError, Option } from 'commander';
import { findStoreKind, lastingKinds, storeKinds } from '../../../store/kinds.js';
import { eitherOf } from '../../../text/either-of.js';

const storeForms = eitherOf(lastingKinds.flatMap(({ helpForms }) => helpForms));

/** `meaning`: what the store is for the command, where that is not plain. */
export function storeOption(meaning?: string): Option {
  const description = meaning === undefined ? storeForms : `${meaning}: ${storeForms}`;
  return new Option('--store <url>', description).env('PARS_STORE').argParser(lastingStore);
}

/** A URL of no kind is left to the command, which says so as a program would be told it. */
function lastingStore(url: string): string {
  const name = findStoreKind(url);
  if (name !== undefined && !storeKinds[name].isLasting) {
    throw new InvalidArgumentError(
      `What it holds is gone when the command ends: it is for tests. Expected ${storeForms}.`,
    );
  }
  return url;
}
