# The classic double fork, then exec of the arguments. With `--bare` first, it drops the agent's environment, folder and
# descriptors, but for the plan, which the child closes.
use strict;
use warnings;
use POSIX 'setsid';

my $bare = $ARGV[0] eq '--bare' && shift;
exit if fork // die "fork: $!\n";
setsid() == $$ or die "setsid: $!\n";
my $leader = $$;
exit if fork // die "fork: $!\n";
# Waits until the leader has ended and another process has adopted this one.
select undef, undef, undef, 0.001 while getppid() == $leader;
if ($bare) {
    chdir '/';
    %ENV = ();
    open $_, '>', '/dev/null' or die "/dev/null: $!\n" for \*STDOUT, \*STDERR;
    # Also those that claude itself inherited.
    POSIX::close($_) for grep { $_ > 2 } map { m{(\d+)$} } glob '/proc/self/fd/*';
}
# There is no PATH to find perl by.
$ARGV[0] = $^X if $ARGV[0] eq 'perl';
exec @ARGV or die "$ARGV[0]: $!\n";
