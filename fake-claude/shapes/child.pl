# The leaked child. Its place was chosen by whoever started it; here are its behaviours. $ARGV[0]: the how manieth it is.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}plan.pl";

my $plan = read_plan();
my %is = map { $_ => 1 } split ' ', $plan->{BEHAVIOURS};
rename_self(@ARGV) if $is{renamed};
let_go_of_stdin();
alarm our $net;

resist($plan->{RESIST}, grep { $is{ lc "$_-ignored" } } 'HUP', 'TERM');
grow_tree($plan->{DEPTH} - 1) if $plan->{DEPTH} > 1;
leave_dead(3) if $is{zombies};
hold_files(32) if $is{descriptors};
make_room() if $is{busy};
report($plan, 'child', $$, $is{stopped} ? 'T' : '-');
# TERM waits until somebody says CONT; then it is as busy, or as patient, as it was meant to be.
kill 'STOP', $$ if $is{stopped};
spin() if $is{busy};
live_on();

# Shells below it, and a sleep below the last of them. Ignored signals are ignored there, too: exec keeps that.
sub grow_tree {
    return if fork;
    exec 'sh', "${here}tree.sh", @_;
    die "sh: $!\n";
}

sub leave_dead {
    for (1 .. $_[0]) {
        my $pid = fork // die "fork: $!\n";
        exit unless $pid;
        report($plan, 'zombie', $pid, 'Z');
    }
}

# One more file a beat; every third loses its name while it is open.
sub hold_files {
    our @held;
    for my $number (1 .. $_[0]) {
        my $path = "$plan->{FOLDER}/open-$$-$number";
        open my $file, '>>', $path or die "$path: $!\n";
        push @held, $file;
        unlink $path unless $number % 3;
        pause(0.01);
    }
}

# What a reader of /proc trips over. Odd children: a closing parenthesis, a newline, a byte that is no UTF-8, empty
# arguments; whole only in the arguments of an exec. Even ones: a command line without a word, which is what Perl makes
# of an empty $0.
sub rename_self {
    my ($number, $done) = @_;
    my $bare = $number % 2 == 0;
    exec { $^X } "x) S 1 1\n\xff", __FILE__, $number, 'again', '', "\n" unless $bare || $done;
    $0 = '' if $bare;
    open my $comm, '>', '/proc/self/comm' or die "/proc/self/comm: $!\n";
    syswrite $comm, $bare ? "\n" : ") R 1 1\n(\xff";
}

# Before it reports: whoever looks at it then sees it as it will be.
sub make_room {
    setpriority 0, 0, 19;
    $SIG{PIPE} = 'IGNORE';
}

# Nobody reads what it writes, and it does not care.
sub spin {
    pipe my $reader, my $writer or die "pipe: $!\n";
    close $reader;
    while (1) {
        for (1 .. 1000) { syswrite $writer, '.' }
        patience();
    }
}
