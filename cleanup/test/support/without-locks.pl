# Runs a command whose kernel refuses every lock on an open file with the error number in $ARGV[0], as some file systems do.
use strict;
my $errno = shift;
my %calls = (x86_64 => [157, 72], aarch64 => [167, 25]);
my ($prctl, $fcntl) = @{$calls{(split ' ', `uname -m`)[0]} or die "unknown machine\n"};
my $F_OFD_SETLK = 37;
# BPF over struct seccomp_data: nr at 0, the low half of the second argument at 24.
my @steps = ([0x20, 0, 0, 0], [0x15, 0, 3, $fcntl], [0x20, 0, 0, 24], [0x15, 0, 1, $F_OFD_SETLK], [0x06, 0, 0, 0x00050000 | $errno], [0x06, 0, 0, 0x7fff0000]);
my $filter = join '', map { pack 'SCCL', @$_ } @steps;
my $program = pack 'Sx![P]P', scalar @steps, $filter;
my $PR_SET_NO_NEW_PRIVS = 38;
my ($PR_SET_SECCOMP, $SECCOMP_MODE_FILTER) = (22, 2);
syscall($prctl, $PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 or die "no_new_privs: $!\n";
syscall($prctl, $PR_SET_SECCOMP, $SECCOMP_MODE_FILTER, $program) == 0 or die "seccomp: $!\n";
exec @ARGV or die "exec: $!\n";
