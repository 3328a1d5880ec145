// A condition that a label hangs on, with what was found. `holds` says whether it is so, not whether that is good.
export interface Check {
  readonly holds: boolean;
  readonly condition: string;
  /** What was found, where that says more than yes or no. */
  readonly found: string;
}

export class Checks {
  readonly list: Check[] = [];

  /** Notes the condition and gives back whether it holds. */
  that(holds: boolean, condition: string, found = ''): boolean {
    this.list.push({ holds, condition, found });
    return holds;
  }
}
