# Does what `tini -s` does, where there is no tini: orphans below it become its children, and it collects them. The
# arguments are the command to run.
use strict;
use warnings;
use POSIX 'uname';

my %prctl = (x86_64 => 157, aarch64 => 167);
my $machine = (uname)[4];
my $number = $prctl{$machine} or die "no prctl known for $machine: install tini\n";
# PR_SET_CHILD_SUBREAPER
syscall($number, 36, 1, 0, 0, 0) == 0 or die "prctl: $!\n";
my $main = fork // die "fork: $!\n";
unless ($main) { exec @ARGV or die "$ARGV[0]: $!\n" }
open STDIN, '<', '/dev/null';
1 while (wait) != $main;
