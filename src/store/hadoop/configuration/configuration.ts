// What Hadoop's configuration says, by the rules of org.apache.hadoop.conf.Configuration: the last file counts unless an earlier
// one says `final`, and a value may name others, ${dfs.nameservices}, or the environment, ${env.HOST}, ${env.HOST:-other}.

import { ParsError } from '../../../../introspect/pars-error.js';
import type { Environment } from './folder.js';
import type { Property } from './resource.js';

/** MAX_SUBST of Hadoop's. */
const maxSubstitutions = 20;
/** A few lists of hosts. */
const maxValueCharacters = 2 ** 20;

/** A property with the file that it stands in. */
export interface LocatedProperty extends Property {
  readonly file: string;
}

/** What Hadoop still reads by the name that it had before. Of properties that are asked for here. */
const oldNames: Readonly<Partial<Record<string, string>>> = {
  'fs.default.name': 'fs.defaultFS',
  'dfs.federation.nameservices': 'dfs.nameservices',
};

export class Configuration {
  readonly #properties = new Map<string, LocatedProperty>();
  readonly #environment: Environment;
  /** Where it lies, for errors about what it does not say. */
  readonly folder: string;

  /** `properties` in the order in which they were read. */
  constructor(
    folder: string,
    properties: readonly LocatedProperty[],
    environment: Environment = {},
  ) {
    this.folder = folder;
    this.#environment = environment;
    for (const property of properties) {
      const name = oldNames[property.name] ?? property.name;
      if (this.#properties.get(name)?.isFinal !== true) {
        this.#properties.set(name, property);
      }
    }
  }

  /**
   * The value, without white space around it; undefined where it is not set or empty. Throws `usage` where it names what is
   * not set.
   */
  text(name: string): string | undefined {
    const property = this.#properties.get(name);
    const value = property && this.#substituted(property).trim();
    return value === '' ? undefined : value;
  }

  /** What stands between commas. */
  list(name: string): readonly string[] {
    const items = this.text(name)?.split(',') ?? [];
    return items.map((item) => item.trim()).filter((item) => item !== '');
  }

  /** Throws `usage` for what is neither true nor false. */
  flag(name: string, otherwise: boolean): boolean {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) {
      return otherwise;
    }
    if (value !== 'true' && value !== 'false') {
      throw this.wrong(name, `expected true or false, found '${value}'`);
    }
    return value === 'true';
  }

  /** The error about a property that is set, or is not and should be. */
  wrong(name: string, what: string): ParsError {
    const property = this.#properties.get(name);
    const where =
      property === undefined
        ? `${name}, in core-site.xml or hdfs-site.xml of ${this.folder}`
        : `${property.name} in ${property.file}`;
    return new ParsError('usage', `${where}: ${what}`);
  }

  #substituted({ name, value }: LocatedProperty): string {
    let text = value;
    for (let count = 0; ; count++) {
      // The innermost: a name may be made of others.
      const match = /\$\{([^{}$\s]+)\}/.exec(text);
      if (match === null) {
        return text;
      }
      const [whole, variable] = match;
      const found = this.#variable(variable);
      if (found === undefined) {
        throw this.wrong(name, `expected a value for ${whole}, found none`);
      }
      text = text.slice(0, match.index) + found + text.slice(match.index + whole.length);
      if (count === maxSubstitutions || text.length > maxValueCharacters) {
        throw this.wrong(name, `its value names others without an end; ${whole} was the last`);
      }
    }
  }

  #variable(variable: string): string | undefined {
    const ofEnvironment = /^env\.(\w+)(?:(:?-)(.*))?$/.exec(variable);
    if (ofEnvironment === null) {
      return this.#properties.get(oldNames[variable] ?? variable)?.value;
    }
    const [, name] = ofEnvironment;
    const value = this.#environment[name];
    const isGiven = ofEnvironment.at(2) === ':-' ? (value ?? '') !== '' : value !== undefined;
    return isGiven ? value : ofEnvironment.at(3);
  }
}
