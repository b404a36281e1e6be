# What a subreaper runs: it orphans the child, so that the subreaper adopts it, and stays. The arguments: the child.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}plan.pl";

my $plan = read_plan();
report($plan, 'subreaper', getppid);
report($plan, 'main', $$);
system('perl', "${here}daemonize.pl", @ARGV) == 0 or die "daemonize.pl has failed\n";
let_go_of_stdin();
alarm our $net;
live_on();
