# Holds terminals open that nobody sits at: both ends of each.
use strict;
use warnings;
use Fcntl;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}../plan.pl";

# TIOCSPTLCK and TIOCGPTN, the same numbers on x86_64 and aarch64.
my ($unlock, $number) = (0x40045431, 0x80045430);
my $plan = read_plan();
let_go_of_stdin();
alarm our $net;
my @held;
for (1 .. 4) {
    sysopen my $master, '/dev/ptmx', O_RDWR | O_NOCTTY or die "/dev/ptmx: $!\n";
    my $answer = pack 'i', 0;
    ioctl $master, $unlock, $answer or die "TIOCSPTLCK: $!\n";
    ioctl $master, $number, $answer or die "TIOCGPTN: $!\n";
    # Without O_NOCTTY the leader of a session would get it as its own terminal.
    my $path = '/dev/pts/' . unpack 'i', $answer;
    sysopen my $terminal, $path, O_RDWR | O_NOCTTY or die "$path: $!\n";
    push @held, $master, $terminal;
}
report($plan, 'holder', $$);
live_on();
