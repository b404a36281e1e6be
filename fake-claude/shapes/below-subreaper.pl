# The main process below a subreaper: it orphans the child, which the subreaper then adopts, and stays. The arguments are
# the child's command.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}plan.pl";

my $plan = read_plan();
report($plan, 'subreaper', getppid);
report($plan, 'main', $$);
system('perl', "${here}daemonize.pl", @ARGV) == 0 or die "daemonize.pl has failed\n";
release_stdin();
alarm our $lifetime;
wait_forever();
