# Waits for $ARGV[0] milliseconds, and then execs the rest of its arguments.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}plan.pl";

my $due = uptime() + shift(@ARGV) / 1000;
report(read_plan(), 'waiting', $$);
while ((my $rest = $due - uptime()) > 0) { pause($rest) }
exec @ARGV or die "$ARGV[0]: $!\n";
