# A daemon that lives on with the leaked child below it. The arguments: the child.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}plan.pl";

alarm our $net;
report(read_plan(), 'parent', $$);
my $child = fork // die "fork: $!\n";
unless ($child) { exec @ARGV or die "$ARGV[0]: $!\n" }
let_go_of_stdin();
waitpid $child, 0;
live_on();
