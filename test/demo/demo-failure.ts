// A promise of PARS that did not hold, or a step that could not be done: its message is for the person who watches, so
// it comes without a stack.

export class DemoFailure extends Error {}
