# What every script here reads and writes. The plan is descriptor 0: nothing of it shows in a command line or in an
# environment, which stay what they would be in the wild. Only modules of perl-base: a bare machine has no others.
use strict;
use warnings;

# The safety net of all that a shape starts; exec keeps an alarm, fork does not. In seconds.
our $net = 1200;

# Several processes read the same open file, one after the other: each opens it anew, and so reads from its beginning.
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

sub let_go_of_stdin { open STDIN, '<', '/dev/null' or die "/dev/null: $!\n" }

# Tells claude, which waits for it; or, where claude has gone on long ago, the journal.
sub report {
    my ($plan, $role, $pid, $state) = @_;
    my ($path, $line) = ($plan->{READY}, "$pid $role " . ($state // '-') . "\n");
    if ($plan->{LATE} && $role ne 'waiting') {
        chomp(my $now = `date +%s%3N`);
        $path = $plan->{JOURNAL} or return;
        $line = qq({"t":$now,"what":"deed","shape":"$plan->{SHAPE}","pid":$pid,"role":"$role"}\n);
    }
    open my $file, '>>', $path or return;
    syswrite $file, $line;
}

# In seconds, since the machine started: no clock that somebody can set.
sub uptime {
    open my $file, '<', '/proc/uptime' or return time;
    my ($seconds) = split ' ', <$file>;
    # Perl itself remembers what was read last, and would keep it open.
    close $file;
    return $seconds;
}

sub pause { select undef, undef, undef, $_[0] }

my ($timed, $resisted, $gives_in);

# Ignores the signals; or, with a time in milliseconds, holds out so long from the first of them on.
sub resist {
    my ($milliseconds, @signals) = @_;
    $timed = $milliseconds ne '';
    for my $signal (@signals) {
        $SIG{$signal} = !$timed ? 'IGNORE' : sub {
            $resisted //= $signal;
            $gives_in //= uptime() + $milliseconds / 1000;
        };
    }
}

# It has held out long enough.
sub has_given_in { defined $gives_in && uptime() >= $gives_in }

# How long to wait for something else, in seconds; undefined: for ever. Does not return once it has given in. A signal
# can come between this look and the waiting, and does not interrupt it then: whoever counts time looks every second.
sub patience {
    if (has_given_in()) {
        $SIG{$resisted} = 'DEFAULT';
        kill $resisted, $$;
    }
    return defined $gives_in ? $gives_in - uptime() : $timed ? 1 : undef;
}

sub live_on { pause(patience()) while 1 }

1;
