# The classical double fork, then exec of the arguments. `--bare` in front: nothing of the agent stays, neither its
# environment nor its folder nor its descriptors (but the plan, which the child lets go of).
use strict;
use warnings;
use POSIX 'setsid';

my $bare = $ARGV[0] eq '--bare' && shift;
exit if fork // die "fork: $!\n";
setsid() == $$ or die "setsid: $!\n";
my $leader = $$;
exit if fork // die "fork: $!\n";
# Only then is it nobody's child.
select undef, undef, undef, 0.001 while getppid() == $leader;
if ($bare) {
    chdir '/';
    %ENV = ();
    open $_, '>', '/dev/null' or die "/dev/null: $!\n" for \*STDOUT, \*STDERR;
    # Also those that were handed down from above claude.
    POSIX::close($_) for grep { $_ > 2 } map { m{(\d+)$} } glob '/proc/self/fd/*';
}
# Without a PATH perl itself would not be found.
$ARGV[0] = $^X if $ARGV[0] eq 'perl';
exec @ARGV or die "$ARGV[0]: $!\n";
