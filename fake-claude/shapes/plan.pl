# Functions that all scripts here share. The plan is descriptor 0, so that command lines and environments look as they
# would without the rig. Only modules of perl-base are used, because a minimal machine has no others.
use strict;
use warnings;

# The longest life of everything that a shape starts, in seconds, by alarm(2): exec keeps an alarm, fork does not.
our $lifetime = 1200;

# Several processes inherit the same open file. Each opens it again, and so reads it from its beginning.
sub read_plan {
    open my $file, '<', '/proc/self/fd/0' or die "the plan is not there: $!\n";
    my %plan;
    while (<$file>) {
        next unless /^(\w+)='(.*)'$/;
        my ($name, $value) = ($1, $2);
        $value =~ s/'\\''/'/g;
        $plan{$name} = $value;
    }
    return \%plan;
}

sub release_stdin { open STDIN, '<', '/dev/null' or die "/dev/null: $!\n" }

# Reports to claude, which waits for it. What is late (after_ms) reports to the journal, because claude has gone on.
sub report {
    my ($plan, $role, $pid, $state) = @_;
    my ($path, $line) = ($plan->{READY}, "$pid $role " . ($state // '-') . "\n");
    if ($plan->{LATE} && $role ne 'waiting') {
        chomp(my $now = `date +%s%3N`);
        $path = $plan->{JOURNAL} or return;
        $line = qq({"t":$now,"what":"late","shape":"$plan->{SHAPE}","pid":$pid,"role":"$role"}\n);
    }
    open my $file, '>>', $path or return;
    syswrite $file, $line;
}

# Seconds since the machine started. Setting the wall clock does not change them.
sub uptime {
    open my $file, '<', '/proc/uptime' or return time;
    my ($seconds) = split ' ', <$file>;
    # Perl keeps the handle that it read last, and so the file, open.
    close $file;
    return $seconds;
}

sub pause { select undef, undef, undef, $_[0] }

my ($timed, $resisted, $ends_at);

# Ignores the signals; with a time in milliseconds, only for so long after the first of them.
sub resist {
    my ($milliseconds, @signals) = @_;
    $timed = $milliseconds ne '';
    for my $signal (@signals) {
        $SIG{$signal} = !$timed ? 'IGNORE' : sub {
            $resisted //= $signal;
            $ends_at //= uptime() + $milliseconds / 1000;
        };
    }
}

# Whether it has resisted long enough.
sub is_over { defined $ends_at && uptime() >= $ends_at }

# How long to wait for something else, in seconds; undefined is for ever. Ends the process once it has resisted long
# enough. A signal between this check and the wait does not interrupt the wait, so a process with a time checks every
# second.
sub wait_time {
    if (is_over()) {
        $SIG{$resisted} = 'DEFAULT';
        kill $resisted, $$;
    }
    return defined $ends_at ? $ends_at - uptime() : $timed ? 1 : undef;
}

sub wait_forever { pause(wait_time()) while 1 }

1;
