/*
 * Programs, as shell commands, that come again. Each ends by itself after half a minute, whatever becomes of the test:
 * without an environment nothing else would find it.
 */

const LIFE_S = 30

/**
 * Forks its successor and exits, a thousand times a second, deaf to everything that can be ignored. Each generation writes
 * its number into `file`.
 */
export function chain(file: string, { ownSession }: { ownSession: boolean }): string {
  const begin = ownSession ? 'POSIX::setsid();' : ''
  return perl(`
    use POSIX; $SIG{$_} = "IGNORE" for qw(TERM HUP INT PIPE);
    my $end = time + ${LIFE_S};
    while (time < $end) {
      my $child = fork; POSIX::_exit(0) if $child;
      ${begin} open my $out, ">", "${file}"; print $out $$; close $out;
      select undef, undef, undef, 0.0007;
    }`)
}

/**
 * Starts a worker again as soon as it has ended, and is deaf itself. The workers get no environment and a session each,
 * so that only their parent ties them to anything.
 */
export function respawner(file: string): string {
  return perl(`
    use POSIX; $SIG{$_} = "IGNORE" for qw(TERM HUP INT);
    my $end = time + ${LIFE_S};
    while (time < $end) {
      my $child = fork;
      if (!$child) {
        POSIX::setsid(); $SIG{TERM} = "DEFAULT"; %ENV = ();
        open my $out, ">", "${file}"; print $out $$; close $out;
        exec "/bin/sleep", "${LIFE_S}";
      }
      waitpid $child, 0;
    }`)
}

const perl = (program: string): string => `perl -e '${program.replaceAll('\n', ' ')}'`
