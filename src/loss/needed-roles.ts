// Which files beside the pages a guest does not resume without, and what is said when one is lost. Without a command line
// that was kept it resumes on the same one given by hand.

/** By role of an attachment, `body` and `manifest`. */
export const neededRoles: Readonly<Record<string, string | undefined>> = {
  manifest: 'the manifest is lost',
  body: 'a body of the manifest is lost',
  state: 'the device state is lost',
};
