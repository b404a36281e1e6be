# A process with another pid in every reading of /proc: it forks a successor and exits. At most two exist at a time; their
# session and group stay the same.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}../plan.pl";

my $plan = read_plan();
release_stdin();
report($plan, 'generation', $$);
my $last = uptime() + our $lifetime;
while (uptime() < $last) {
    # Faster than any reading of the process table, and still only a few hundred pids a second.
    pause(0.005);
    my $successor = fork;
    # If fork fails, this process goes on.
    exit if $successor;
}
