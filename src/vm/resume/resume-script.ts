// The bash script that starts a restored VM: QEMU, the device state, then the guest.
//
// It needs bash and coreutils only. QEMU gets the state through a pipe that it inherits, not by running a command: it may
// have been told to run none (-sandbox), or to be another user (-runas) who cannot read the file.
import { bashQuote } from '../qemu/bash-quote.js';
import { optionWords, type QemuCommand } from '../qemu/qemu-command.js';
import type { Finding } from '../trust/effects.js';
import { headComments } from '../trust/trust-words.js';
import { monitorId } from './plan-resume.js';

export const scriptName = 'resume.sh';
/** Beside the script once the VM has run. */
export const markerName = 'resumed';

/** How the script ends; QEMU's own way to end is 0 or `failed`. */
export const scriptExitCodes = { ended: 0, ranBefore: 5, failed: 23, interrupted: 130 } as const;

export interface ScriptInput {
  readonly command: QemuCommand;
  /** Absolute. The script's own. */
  readonly folder: string;
  /** Absolute. A device state, or a whole migration stream. */
  readonly statePath: string;
  /** Whether the state was saved without the RAM, which is a file of the command line then. */
  readonly isRamElsewhere: boolean;
  /** What the command can do to the host. */
  readonly findings?: readonly Finding[];
}

export function resumeScript(input: ScriptInput): string {
  const { command, folder, statePath, isRamElsewhere, findings = [] } = input;
  const { ranBefore, failed, interrupted } = scriptExitCodes;
  const ramSentence = isRamElsewhere
    ? `# The RAM file is used in place: from then on it is no longer the RAM of the snapshot.`
    : `# The RAM is in the stream, which stays as it is; the disks do not.`;
  return `#!/usr/bin/env bash
# Starts the VM from what \`pars restore\` wrote, and ends when its QEMU does. Ctrl-C ends both.
#
${headComments(findings)}
#
${ramSentence}
# So the VM runs from here once, and the file ${markerName} says that it has.
#
# Ends with 0 when QEMU did, ${failed} when the VM could not be started or QEMU failed, ${ranBefore} when it ran before, ${interrupted} when interrupted.

folder=${bashQuote(folder)}
state=${bashQuote(statePath)}
marker=$folder/${markerName}
# shellcheck disable=SC2054 # The commas are QEMU's.
qemu=(
${commandLines(command).join('\n')}
)

# What the command line says without a folder is in no folder of anybody else's.
cd -- "$folder" || exit ${failed}

say() {
  printf '${scriptName}: %s\\n' "$1" >&2
}

pid=
interrupted=

# Before the guest runs: QEMU has nothing yet that it must be given the time to write.
fail() {
  if [[ -n $interrupted ]]; then
    say 'interrupted'
  else
    say "$1"
  fi
  if is_running; then
    kill "$pid"
    for ((tenths = 0; tenths < 50; tenths++)); do
      is_running || break
      sleep 0.1
    done
    is_running && kill -KILL "$pid"
  fi
  [[ -n $interrupted ]] && exit ${interrupted}
  exit ${failed}
}

is_running() {
  [[ -n $pid ]] && kill -0 "$pid" 2>/dev/null
}

# QEMU's next line into $line. A pipe that this script holds open itself never ends, hence the look at the process.
next_line() {
  local part
  line=
  [[ -z $interrupted ]] || return 1
  until read -r -t 0.5 -u 4 part; do
    line+=$part
    is_running && [[ -z $interrupted ]] || return 1
  done
  line+=$part
}

# Sends a QMP command and leaves QEMU's answer in $line. False when it is an error, or QEMU has ended.
asked=0
ask() {
  ((++asked))
  printf '{%s, "id": "ask-%d"}\\n' "$1" "$asked" >&3
  while next_line; do
    # All else is events.
    if [[ $line == *"\\"id\\": \\"ask-$asked\\""* ]]; then
      [[ $line == *'"return": '* ]]
      return
    fi
  done
  line='QEMU has ended, its own words stand above'
  return 1
}

if [[ -e $marker ]]; then
  say "the VM ran from here before ($(<"$marker")), and RAM or disks are no longer those of the snapshot: restore it to another folder"
  exit ${ranBefore}
fi

trap 'interrupted=yes; is_running && kill "$pid"' INT TERM HUP
pipes=$(mktemp -d "$folder/qmp.XXXXXX") || exit ${failed}
trap 'rm -rf -- "$pipes"' EXIT
mkfifo -- "$pipes/qmp.in" "$pipes/qmp.out" || exit ${failed}
# First of all, so that cat does not hold the other two.
exec 5< <(exec cat <"$state" 2>/dev/null)
exec 3<>"$pipes/qmp.in" 4<>"$pipes/qmp.out"

# Without <&0 bash would take the terminal away from a process in the background.
"\${qemu[@]}" \\
  -chardev "pipe,id=${monitorId},path=\${pipes//,/,,}/qmp" \\
  -mon chardev=${monitorId},mode=control \\
  -incoming defer \\
  <&0 3>&- 4>&- &
pid=$!
exec 5<&-

next_line || fail 'QEMU did not start, its own words stand above'
ask '"execute": "qmp_capabilities"' || fail "QEMU takes no commands: $line"
# A VM that ran while it was saved would otherwise go on by itself.
ask '"execute": "stop"' || fail "QEMU cannot hold the VM: $line"
${isRamElsewhere ? ignoreShared : ''}ask '"execute": "migrate-incoming", "arguments": {"uri": "fd:5"}' || fail "QEMU does not load the state: $line"
while :; do
  ask '"execute": "query-migrate"' || fail "the state was not loaded: $line"
  case $line in
    *'"status": "completed"'*) break ;;
    *'"status": "failed"'*) fail "the state was not loaded: $line" ;;
  esac
  sleep 0.1
done

(
  set -o noclobber
  printf '%(%F %T)T, pid %d\\n' -1 "$pid" >"$marker"
) || fail "cannot write $marker, or the VM was started twice"
ask '"execute": "cont"' || fail "the VM does not run: $line"
ask '"execute": "query-status"' || fail "the VM does not run: $line"
case $line in
  *'"status": "running"'* | *'"status": "suspended"'*) say "the VM runs (pid $pid)" ;;
  *) fail "the VM does not run: $line" ;;
esac

# Reads what QEMU tells of the guest, or the pipe would fill up, until QEMU closes its end.
exec 6<"$pipes/qmp.out" 4>&-
while read -r -u 6 _; do :; done
wait "$pid"
code=$?
while is_running; do
  wait "$pid"
  code=$?
done
[[ -n $interrupted ]] && exit ${interrupted}
((code == 0)) && exit 0
say "QEMU ended with exit code $code"
exit ${failed}
`;
}

const ignoreShared = `# The state holds no RAM, and QEMU must know before it reads it.
ask '"execute": "migrate-set-capabilities", "arguments": {"capabilities": [{"capability": "x-ignore-shared", "state": true}]}' ||
  fail "QEMU does not take RAM from a file: $line"
`;

/** As the script has it, one option per line. */
export function commandLines({ program, options }: QemuCommand): readonly string[] {
  return [[program], ...options.map(optionWords)].map(
    (words) => `  ${words.map(bashQuote).join(' ')}`,
  );
}
