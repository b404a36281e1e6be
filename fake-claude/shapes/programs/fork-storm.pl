# A process that is another one at every look: it forks a successor and exits. One lives at a time, and the one that is
# being born; its session and its group stay the same.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}../plan.pl";

my $plan = read_plan();
let_go_of_stdin();
report($plan, 'generation', $$);
my $last = uptime() + our $net;
while (uptime() < $last) {
    # Faster than anybody reads a table of processes, and still but a few hundred pids a second.
    pause(0.005);
    my $successor = fork;
    # No process to be had: this one stays.
    exit if $successor;
}
