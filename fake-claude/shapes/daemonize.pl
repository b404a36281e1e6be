# The classic double fork, then exec of the arguments. With `--bare=NAME` first, it drops the agent's environment but for
# that variable (`--bare=` keeps none), its folder, and its descriptors but for the plan, which the child closes.
use strict;
use warnings;
use POSIX 'setsid';

my ($kept) = $ARGV[0] =~ /^--bare=(\w*)$/;
my $bare = defined $kept && shift;
exit if fork // die "fork: $!\n";
setsid() == $$ or die "setsid: $!\n";
my $leader = $$;
exit if fork // die "fork: $!\n";
# Waits until the leader has ended and another process has adopted this one.
select undef, undef, undef, 0.001 while getppid() == $leader;
if ($bare) {
    chdir '/';
    %ENV = map { $_ => $ENV{$_} } grep { $_ eq $kept } keys %ENV;
    open $_, '>', '/dev/null' or die "/dev/null: $!\n" for \*STDOUT, \*STDERR;
    # Also those that claude itself inherited.
    POSIX::close($_) for grep { $_ > 2 } map { m{(\d+)$} } glob '/proc/self/fd/*';
}
# There may be no PATH to find perl by.
$ARGV[0] = $^X if $ARGV[0] eq 'perl';
exec @ARGV or die "$ARGV[0]: $!\n";
