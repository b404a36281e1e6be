# Holds terminals open, both ends of each.
use strict;
use warnings;
use Fcntl;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}../plan.pl";

# TIOCSPTLCK and TIOCGPTN, the same numbers on x86_64 and aarch64.
my ($unlock, $number) = (0x40045431, 0x80045430);
my $plan = read_plan();
release_stdin();
alarm our $lifetime;
my @held;
for (1 .. 4) {
    sysopen my $master, '/dev/ptmx', O_RDWR | O_NOCTTY or die "/dev/ptmx: $!\n";
    my $answer = pack 'i', 0;
    ioctl $master, $unlock, $answer or die "TIOCSPTLCK: $!\n";
    ioctl $master, $number, $answer or die "TIOCGPTN: $!\n";
    # Without O_NOCTTY it would become the controlling terminal of a session leader.
    my $path = '/dev/pts/' . unpack 'i', $answer;
    sysopen my $terminal, $path, O_RDWR | O_NOCTTY or die "$path: $!\n";
    push @held, $master, $terminal;
}
report($plan, 'holder', $$);
wait_forever();
