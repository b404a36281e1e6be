# Waits, and becomes the rest of its arguments. $ARGV[0]: milliseconds.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}plan.pl";

my $deed = uptime() + shift(@ARGV) / 1000;
report(read_plan(), 'waiting', $$);
while ((my $rest = $deed - uptime()) > 0) { pause($rest) }
exec @ARGV or die "$ARGV[0]: $!\n";
