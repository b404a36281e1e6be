# `claude bg-pty-host --bg-pty-host <socket> <columns> <rows> -- claude ...`: holds the terminal of one background session.
# It reports the pid of its claude on stdout.
use strict;
use warnings;
use Fcntl;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}service.pl";

# How long it stays after its claude, in seconds, when the service that started it has ended.
my $linger = 3;

become_claude();
my (undef, $path, undef, undef, undef, @claude) = @ARGV;
# TIOCSPTLCK and TIOCGPTN, the same numbers on x86_64 and aarch64.
my ($unlock, $number) = (0x40045431, 0x80045430);
sysopen my $master, '/dev/ptmx', O_RDWR | O_NOCTTY or die "/dev/ptmx: $!\n";
my $answer = pack 'i', 0;
ioctl $master, $unlock, $answer or die "TIOCSPTLCK: $!\n";
ioctl $master, $number, $answer or die "TIOCGPTN: $!\n";
my $terminal = '/dev/pts/' . unpack 'i', $answer;
sysopen my $held, $terminal, O_RDWR | O_NOCTTY or die "$terminal: $!\n";
my $socket = listen_at($path);
open my $errors, '>', "$path.err";
close $errors;

my $supervisor = getppid;
pipe my $ready, my $reported or die "pipe: $!\n";
my $pid = fork // die "fork: $!\n";
if (!$pid) {
    close $ready;
    open STDIN, '<&', $held;
    open STDOUT, '>&', $reported;
    open STDERR, '>', '/dev/null';
    exec { $^X } 'claude bg-spare', "${here}worker.pl", $terminal, @claude;
}
close $reported;
sysread $ready, my $ignored, 1;
syswrite STDOUT, "$pid\n";
open $_, '+<', '/dev/null' for \*STDIN, \*STDOUT;
$SIG{HUP} = 'IGNORE';
$SIG{TERM} = sub { kill 'TERM', $pid };
1 until waitpid($pid, 0) == $pid;
pause($linger) if getppid != $supervisor;
unlink $path, "$path.err";
