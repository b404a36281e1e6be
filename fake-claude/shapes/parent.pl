# A daemon that stays alive as the parent of the leaked child. The arguments are the child's command.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}plan.pl";

alarm our $lifetime;
report(read_plan(), 'parent', $$);
my $child = fork // die "fork: $!\n";
unless ($child) { exec @ARGV or die "$ARGV[0]: $!\n" }
release_stdin();
waitpid $child, 0;
wait_forever();
