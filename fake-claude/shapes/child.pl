# The leaked child. Its placement comes from the command that started it; this has its behaviours. $ARGV[0]: its number.
use strict;
use warnings;
my ($here) = __FILE__ =~ m{^(.*/)};
require "${here}plan.pl";

my $plan = read_plan();
my %is = map { $_ => 1 } split ' ', $plan->{BEHAVIOURS};
rename_self(@ARGV) if $is{renamed};
release_stdin();
alarm our $lifetime;

resist($plan->{RESIST}, grep { $is{ lc "$_-ignored" } } 'HUP', 'TERM');
grow_tree($plan->{DEPTH} - 1) if $plan->{DEPTH} > 1;
leave_dead(3) if $is{zombies};
hold_files(32) if $is{descriptors};
make_room() if $is{busy};
report($plan, 'child', $$, $is{stopped} ? 'T' : '-');
# A TERM is pending until a CONT; then it is busy, or waits, as its other behaviours say.
kill 'STOP', $$ if $is{stopped};
spin() if $is{busy};
wait_forever();

# Shells below it, and a sleep below the last one. They ignore the same signals, because exec keeps that.
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

# Opens one file after another. Only every third keeps its name; the others are deleted while they are open.
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

# Names that break readers of /proc. Odd children: a closing parenthesis, a newline, a byte that is not UTF-8, and empty
# arguments; only an exec can pass those on. Even children: an empty command line, which Perl makes of an empty $0.
sub rename_self {
    my ($number, $done) = @_;
    my $bare = $number % 2 == 0;
    exec { $^X } "x) S 1 1\n\xff", __FILE__, $number, 'again', '', "\n" unless $bare || $done;
    $0 = '' if $bare;
    open my $comm, '>', '/proc/self/comm' or die "/proc/self/comm: $!\n";
    syswrite $comm, $bare ? "\n" : ") R 1 1\n(\xff";
}

# Called before it reports, so that its state is final by then.
sub make_room {
    setpriority 0, 0, 19;
    $SIG{PIPE} = 'IGNORE';
}

# Writes to a pipe without a reader, and ignores that.
sub spin {
    pipe my $reader, my $writer or die "pipe: $!\n";
    close $reader;
    while (1) {
        for (1 .. 1000) { syswrite $writer, '.' }
        wait_time();
    }
}
