/*
 * Shell commands for programs that keep replacing themselves. Each ends by itself after half a minute even if the test
 * is killed: the test's guard finds processes by their environment, and some of these have none.
 */

const LIFETIME_S = 30

/**
 * Forks a successor and exits, a thousand times a second, and ignores TERM, HUP, INT and PIPE. Each generation writes
 * its pid into `file`.
 */
export function forkChain(file: string, { ownSession }: { ownSession: boolean }): string {
  const begin = ownSession ? 'POSIX::setsid();' : ''
  return perl(`
    use POSIX; $SIG{$_} = "IGNORE" for qw(TERM HUP INT PIPE);
    my $end = time + ${LIFETIME_S};
    while (time < $end) {
      my $child = fork; POSIX::_exit(0) if $child;
      ${begin} open my $out, ">", "${file}"; print $out $$; close $out;
      select undef, undef, undef, 0.0007;
    }`)
}

/**
 * Restarts a worker as soon as it has ended, and ignores TERM, HUP and INT. Each worker has an empty environment and its
 * own session, so that only its parent pid links it to the agent. The worker's pid is in `file`.
 */
export function respawner(file: string): string {
  return perl(`
    use POSIX; $SIG{$_} = "IGNORE" for qw(TERM HUP INT);
    my $end = time + ${LIFETIME_S};
    while (time < $end) {
      my $child = fork;
      if (!$child) {
        POSIX::setsid(); $SIG{TERM} = "DEFAULT"; %ENV = ();
        open my $out, ">", "${file}"; print $out $$; close $out;
        exec "/bin/sleep", "${LIFETIME_S}";
      }
      waitpid $child, 0;
    }`)
}

const perl = (program: string): string => `perl -e '${program.replaceAll('\n', ' ')}'`
